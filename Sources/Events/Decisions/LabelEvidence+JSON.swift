internal import JSON
internal import Vocabulary

extension BakedLabels {
    init(_ object: JSONObject) throws(JSONError) {
        self.init(
            other: try object.id("other"),
            labels: try object.count("labels"),
            duels: try object.count("duels"),
            canaryBetter: try object.count("canary_better"),
            otherBetter: try object.count("other_better"),
            settled: try object.count("settled"),
            silent: try object.count("silent_counted_wrong"),
            logE: try object.double("log_e"),
            threshold: try object.double("threshold")
        )
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("kind", "labels_in_rollout")
        writer.member("other", other)
        writer.member("labels", labels)
        writer.member("duels", duels)
        writer.member("canary_better", canaryBetter)
        writer.member("other_better", otherBetter)
        writer.member("settled", settled)
        writer.member("silent_counted_wrong", silent)
        writer.member("log_e", logE)
        writer.member("threshold", threshold)
    }
}

extension SuspicionVerdict {
    init(_ object: JSONObject) throws(JSONError) {
        let accuracy = try object.double("accuracy_before")
        guard (0...1).contains(accuracy) else {
            throw object.failure("accuracy_before", "expected a number in 0...1, found \(accuracy)")
        }
        self.init(
            labels: try object.count("labels"),
            right: try object.double("right"),
            leastRight: try object.count("least_right"),
            accuracy: accuracy,
            suspicions: try object.count("suspicions"),
            voices: try object.count("voices"),
            rejecting: try object.count("rejecting"),
            disputed: try object.count("disputed"),
            disputedWrong: try object.count("disputed_wrong")
        )
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("kind", "labels_after_suspicion")
        writer.member("labels", labels)
        writer.member("right", right)
        writer.member("least_right", leastRight)
        writer.member("accuracy_before", accuracy)
        writer.member("suspicions", suspicions)
        writer.member("voices", voices)
        writer.member("rejecting", rejecting)
        writer.member("disputed", disputed)
        writer.member("disputed_wrong", disputedWrong)
    }
}
