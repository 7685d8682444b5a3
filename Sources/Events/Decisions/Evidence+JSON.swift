public import JSON
public import Vocabulary

extension Evidence: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        switch try object.string("kind") {
        case "none": self = .none
        case "paired_audit_labels":
            self = .paired(
                labels: try object.int("labels"),
                challengerOnly: try object.int("challenger_only_correct"),
                championOnly: try object.int("champion_only_correct"),
                logE: try object.double("log_e"),
                threshold: try object.double("threshold")
            )
        case "judged_before_answers": self = .judged(try JudgedEvidence(object))
        case "provisional":
            self = .provisional(
                labels: try object.int("labels"),
                challengerOnly: try object.int("challenger_only_correct"),
                championOnly: try object.int("champion_only_correct")
            )
        case "feedback":
            self = .feedback(
                negative: try object.int("negative"),
                total: try object.int("total"),
                expectedRate: try object.double("expected_rate"),
                statistic: try object.double("statistic"),
                threshold: try object.double("threshold")
            )
        case "feedback_compared": self = .compared(try ComparedVoices(object))
        case "labels_in_rollout": self = .baked(try BakedLabels(object))
        case "labels_after_suspicion": self = .suspected(try SuspicionVerdict(object))
        case "rollout": self = .rollout(try object.values("rollout"))
        case "command":
            self = .command(
                id: try object.string("id"),
                by: try object.string("by"),
                reason: try object.string("reason"),
                metrics: try object.metrics("metrics")
            )
        case let kind: throw object.failure("kind", "unknown kind of evidence \"\(kind.prefix(64))\"")
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .none: writer.member("kind", "none")
            case .paired(let labels, let challengerOnly, let championOnly, let logE, let threshold):
                writer.member("kind", "paired_audit_labels")
                writer.member("labels", labels)
                writer.member("challenger_only_correct", challengerOnly)
                writer.member("champion_only_correct", championOnly)
                writer.member("log_e", logE)
                writer.member("threshold", threshold)
            case .judged(let evidence): evidence.writeMembers(to: &writer)
            case .provisional(let labels, let challengerOnly, let championOnly):
                writer.member("kind", "provisional")
                writer.member("labels", labels)
                writer.member("challenger_only_correct", challengerOnly)
                writer.member("champion_only_correct", championOnly)
            case .feedback(let negative, let total, let expectedRate, let statistic, let threshold):
                writer.member("kind", "feedback")
                writer.member("negative", negative)
                writer.member("total", total)
                writer.member("expected_rate", expectedRate)
                writer.member("statistic", statistic)
                writer.member("threshold", threshold)
            case .compared(let voices): voices.writeMembers(to: &writer)
            case .baked(let labels): labels.writeMembers(to: &writer)
            case .suspected(let verdict): verdict.writeMembers(to: &writer)
            case .rollout(let steps):
                writer.member("kind", "rollout")
                writer.array("rollout", ofValues: steps)
            case .command(let id, let by, let reason, let metrics):
                writer.member("kind", "command")
                writer.member("id", id)
                writer.member("by", by)
                writer.member("reason", reason)
                writer.member("metrics", metrics)
            }
        }
    }
}

extension JudgedEvidence {
    fileprivate init(_ object: JSONObject) throws(JSONError) {
        let own: Tally = try object.value("own")
        let bound: PromotionBound = try object.choice("bound")
        guard bound != .challenger else { throw object.failure("bound", "expected share or any") }
        self.init(
            era: try object.int("era"),
            promotionsBefore: try object.int("promotions_before"),
            bound: bound,
            alpha: try object.double("alpha"),
            level: try object.double("level"),
            all: Tally(
                labels: try object.int("labels"),
                wins: try object.int("wins"),
                losses: try object.int("losses")
            ),
            own: own,
            duels: try object.int("duels"),
            logE: try object.double("log_e"),
            threshold: try object.double("threshold"),
            settled: try object.int("settled"),
            silent: try object.int("silent_counted_wrong"),
            ofAnotherEra: try object.int("of_another_era"),
            lateLeftOut: try object.int("late_left_out"),
            span: try object.count64("span_ms")
        )
    }

    fileprivate func writeMembers(to writer: inout JSONWriter) {
        writer.member("kind", "judged_before_answers")
        writer.member("era", era)
        writer.member("promotions_before", promotionsBefore)
        writer.member("bound", bound.rawValue)
        writer.member("alpha", alpha)
        writer.member("level", level)
        writer.member("labels", all.labels)
        writer.member("duels", duels)
        writer.member("wins", all.wins)
        writer.member("losses", all.losses)
        writer.member("log_e", logE)
        writer.member("threshold", threshold)
        writer.member("own", own)
        writer.member("settled", settled)
        writer.member("shadow_coverage", shadowCoverage)
        writer.member("silent_counted_wrong", silent)
        writer.member("of_another_era", ofAnotherEra)
        writer.member("late_left_out", lateLeftOut)
        writer.member("span_ms", span)
    }
}

extension JudgedEvidence.Tally: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            labels: try object.int("labels"),
            wins: try object.int("wins"),
            losses: try object.int("losses")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("labels", labels)
            writer.member("wins", wins)
            writer.member("losses", losses)
        }
    }
}
