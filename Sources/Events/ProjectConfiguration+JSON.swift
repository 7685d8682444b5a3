public import Acquisition
public import Datasets
public import Flywheel
public import JSON
public import Labeling
public import Rollout
public import Training
public import Vocabulary

extension JSONObject {
    fileprivate func double(_ key: StaticString, in range: ClosedRange<Double>) throws(JSONError) -> Double {
        let value = try double(key)
        guard range.contains(value) else {
            throw failure(key, "expected a number in \(range.lowerBound)...\(range.upperBound), found \(value)")
        }
        return value
    }

    fileprivate func milliseconds(_ key: StaticString) throws(JSONError) -> Int64 {
        Int64(try int(key, in: 1...Int(ProjectConfiguration.longestSpan)))
    }
}

extension ProjectConfiguration {
    /// The longest span of time that a policy may name: ten years, in milliseconds.
    public static let longestSpan: Int64 = 10 * 365 * 86_400_000
}

extension ProjectConfiguration: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            project: try object.project(),
            revision: try object.int("revision", in: 1...Int.max),
            partition: Int32(try object.int("partition", in: 0...99_999)),
            schema: try object.value("label_schema"),
            acquisition: try object.value("acquisition"),
            labeling: try object.value("labeling"),
            datasets: try object.value("datasets"),
            training: try object.value("training"),
            rollout: try object.value("rollout")
        )
        for trigger in acquisition.triggers {
            guard let complaint = trigger.complaint(classes: schema.classes.count) else { continue }
            throw try object.object("acquisition").failure("triggers", complaint)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("revision", revision)
            writer.member("partition", Int(partition))
            writer.member("label_schema", schema)
            writer.member("acquisition", acquisition)
            writer.member("labeling", labeling)
            writer.member("datasets", datasets)
            writer.member("training", training)
            writer.member("rollout", rollout)
        }
    }
}

extension LabelSchema: JSONCodable {
    /// Bytes of a class's name; every task carries them all.
    public static let longestName = 128
    public static let longestQuestion = 2_000

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        try object.requireKind("choice")
        let classes = try object.strings("classes")
        guard (2...10_000).contains(classes.count), Set(classes).count == classes.count,
            classes.allSatisfy({ (1...Self.longestName).contains($0.utf8.count) })
        else {
            throw object.failure("classes", "expected 2 to 10,000 distinct names of 1 to \(Self.longestName) bytes")
        }
        guard try object.string("question").utf8.count <= Self.longestQuestion else {
            throw object.failure("question", "expected at most \(Self.longestQuestion) bytes")
        }
        self.init(question: try object.string("question"), classes: classes)
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("kind", "choice")
            writer.member("question", question)
            writer.array("classes", of: classes)
        }
    }
}

extension AcquisitionPolicy: JSONCodable {
    /// The most money that a window's budget may name, in millionths.
    public static let highestMoney: Int64 = 1_000_000_000_000_000
    /// The most windows whose unused budget may be carried over.
    public static let mostCarriedWindows = 1_000

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            function: try object.choice("strategy"),
            isDiverse: try object.bool("diverse"),
            batchSize: try object.int("batch_size", in: 1...10_000),
            preselection: try object.int("preselection", in: 1...1_000),
            poolCapacity: try object.int("pool_capacity", in: 1...100_000),
            openTaskLimit: try object.int("open_task_limit", in: 1...1_000_000),
            explorationShare: object.optional("exploration_share") == nil
                ? AcquisitionPolicy().explorationShare : try object.double("exploration_share", in: 0...1),
            auditShare: try object.double("audit_share", in: 0...0.9),
            auditCutoff: try object.double("audit_cutoff", in: 0...1),
            votes: try object.int("votes_per_window", in: 0...1_000_000_000),
            window: try object.milliseconds("window_ms"),
            oversample: try object.double("oversample", in: 1...100_000),
            patience: try object.milliseconds("patience_ms"),
            temperature: try object.number("temperature", in: 0.01...100) ?? AcquisitionPolicy().temperature,
            batch: try object.optionalValue("batch") ?? .beforeBatches,
            time: try object.optionalInt("time_per_window_ms", in: 0...Int(ProjectConfiguration.longestSpan))
                .map { Int64($0) },
            money: try object.optionalInt("money_per_window_micros", in: 0...Int(AcquisitionPolicy.highestMoney))
                .map { Int64($0) },
            carriedWindows: try object.optionalInt("carry_windows", in: 0...AcquisitionPolicy.mostCarriedWindows) ?? 0,
            voteCost: try object.optionalValue("vote_cost") ?? .free,
            slices: try object.optionalValue("slices"),
            stream: try object.optionalValue("stream"),
            triggers: try Trigger.list(in: object),
            triggerShare: object.optional("trigger_share") == nil
                ? AcquisitionPolicy().triggerShare : try object.double("trigger_share", in: 0...1)
        )
        if let complaint = costComplaint { throw object.failure("vote_cost", complaint) }
    }

    /// What is wrong where a budget has nothing to be counted by; nil where nothing is.
    public var costComplaint: String? {
        if time ?? 0 > 0, voteCost.maximumTime == 0 {
            return "a budget of time needs the most time that a vote may take (maximum_time), above 0"
        }
        if money ?? 0 > 0, voteCost.maximumMoney == 0 {
            return "a budget of money needs the price of a vote or of a second (vote_micros, second_micros), above 0"
        }
        return nil
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("strategy", function.rawValue)
            writer.member("diverse", isDiverse)
            writer.member("batch_size", batchSize)
            writer.member("preselection", preselection)
            writer.member("pool_capacity", poolCapacity)
            writer.member("open_task_limit", openTaskLimit)
            writer.member("exploration_share", explorationShare)
            writer.member("audit_share", auditShare)
            writer.member("audit_cutoff", auditCutoff)
            writer.member("votes_per_window", votes)
            writer.member("window_ms", window)
            writer.member("oversample", oversample)
            writer.member("patience_ms", patience)
            writer.member("temperature", temperature)
            writer.member("batch", batch)
            writer.member("time_per_window_ms", ifPresent: time)
            writer.member("money_per_window_micros", ifPresent: money)
            if carriedWindows > 0 { writer.member("carry_windows", carriedWindows) }
            if voteCost != .free { writer.member("vote_cost", voteCost) }
            writer.member("slices", ifPresent: slices)
            writer.member("stream", ifPresent: stream)
            if !triggers.isEmpty { writer.array("triggers", ofValues: triggers) }
            if triggerShare != AcquisitionPolicy().triggerShare { writer.member("trigger_share", triggerShare) }
        }
    }
}

extension LabelingPolicy: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let minimum = try object.int("minimum_votes", in: 1...100)
        self.init(
            minimumVotes: minimum,
            maximumVotes: try object.int("maximum_votes", in: minimum...100),
            confidence: try object.double("confidence", in: 0.5...1),
            lifetime: try object.milliseconds("lifetime_ms"),
            maximumSkips: try object.int("maximum_skips", in: 1...100),
            ageingEvery: try object.optionalInt("ageing_every_ms", in: 1...Int(ProjectConfiguration.longestSpan))
                .map { Int64($0) },
            ageingBy: object.optional("ageing_by") == nil
                ? LabelingPolicy().ageingBy : try object.double("ageing_by", in: 0.01...1)
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("minimum_votes", minimumVotes)
            writer.member("maximum_votes", maximumVotes)
            writer.member("confidence", confidence)
            writer.member("lifetime_ms", lifetime)
            writer.member("maximum_skips", maximumSkips)
            writer.member("ageing_every_ms", ifPresent: ageingEvery)
            // Without an interval it means nothing, but a file that names it must not differ from its own revision for ever.
            if ageingEvery != nil || ageingBy != LabelingPolicy().ageingBy { writer.member("ageing_by", ageingBy) }
        }
    }
}

extension DatasetPolicy: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            cutEvery: try object.int("cut_every", in: 1...1_000_000),
            cutAfter: try object.milliseconds("cut_after_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("cut_every", cutEvery)
            writer.member("cut_after_ms", cutAfter)
        }
    }
}

extension Recipe: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            inverseRegularization: try object.double("inverse_regularization", in: 1e-9...1e9),
            warmStart: try object.bool("warm_start")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("inverse_regularization", inverseRegularization)
            writer.member("warm_start", warmStart)
        }
    }
}

extension TrainingPolicy: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let trials: [Recipe] = try object.values("trials")
        guard (1...1_000).contains(trials.count) else { throw object.failure("trials", "expected 1 to 1,000 recipes") }
        let repeats = try object.int("repeats", in: 1...1_000)
        // The results of a study are kept in one row of state, which must fit into one record.
        guard trials.count * repeats <= Self.largestStudy else {
            throw object.failure(
                "repeats",
                "expected at most \(Self.largestStudy) results, found \(trials.count) trials of \(repeats) repeats"
            )
        }
        self.init(
            newLabels: try object.int("new_labels", in: 1...1_000_000),
            trials: trials,
            repeats: repeats,
            deadline: try object.milliseconds("deadline_after_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("new_labels", newLabels)
            writer.array("trials", ofValues: trials)
            writer.member("repeats", repeats)
            writer.member("deadline_after_ms", deadline)
        }
    }
}

extension RolloutPolicy: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            alpha: try object.double("alpha", in: 0.0001...0.5),
            minimumShadow: try object.optionalInt("minimum_shadow", in: 0...1_000_000) ?? RolloutPolicy().minimumShadow,
            tolerance: try object.double("tolerance", in: 0...1),
            calibration: try object.int("calibration", in: 1...1_000_000),
            falseAlarmEvery: try object.double("false_alarm_every", in: 100...1e15),
            userCap: try object.int("user_cap", in: 1...1_000_000),
            userWindow: try object.milliseconds("user_window_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("alpha", alpha)
            writer.member("minimum_shadow", minimumShadow)
            writer.member("tolerance", tolerance)
            writer.member("calibration", calibration)
            writer.member("false_alarm_every", falseAlarmEvery)
            writer.member("user_cap", userCap)
            writer.member("user_window_ms", userWindow)
        }
    }
}
