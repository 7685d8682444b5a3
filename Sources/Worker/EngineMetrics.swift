public import EngineCore
internal import Events
internal import Intake
internal import Loop
internal import StreamRuntime
public import Telemetry
internal import Vocabulary

/// The metrics of a worker: the only location of all metric names.
public struct EngineMetrics: Sendable {
    public let registry: MetricsRegistry

    public init(registry: MetricsRegistry) { self.registry = registry }

    /// Kind, name, labels and help text of a metric.
    private struct Metric {
        enum Kind { case counter, gauge, histogram }

        let kind: Kind
        let name: String
        let labels: Set<String>
        let help: String

        init(_ kind: Kind, _ name: String, _ labels: Set<String>, help: String) {
            self.kind = kind
            self.name = name
            self.labels = labels
            self.help = help
        }

        /// Whether a kind and the names of labels are those of the metric.
        func fits(_ kind: Kind, _ given: [String: String]) -> Bool { kind == self.kind && Set(given.keys) == labels }

        static let read = Metric(.counter, "flywheel_records_read_total", ["role"], help: "Records read and committed.")
        static let written = Metric(
            .counter,
            "flywheel_records_written_total",
            ["role"],
            help: "Records written and committed."
        )
        static let committed = Metric(
            .counter,
            "flywheel_transactions_committed_total",
            ["role"],
            help: "Transactions committed."
        )
        static let commitDuration = Metric(
            .histogram,
            "flywheel_commit_duration_seconds",
            ["role"],
            help: "Seconds from opening a transaction to its commit."
        )
        static let aborted = Metric(
            .counter,
            "flywheel_transactions_aborted_total",
            ["role"],
            help: "Transactions aborted."
        )
        static let restarted = Metric(
            .counter,
            "flywheel_producers_restarted_total",
            ["role"],
            help: "Producers recreated after a fatal error."
        )
        static let retries = Metric(.counter, "flywheel_retries_total", ["role"], help: "Calls retried.")
        static let expired = Metric(
            .counter,
            "flywheel_records_expired_total",
            ["role"],
            help: "Records that expired before they were read."
        )
        static let unreachable = Metric(
            .gauge,
            "flywheel_brokers_unreachable",
            ["role"],
            help: "1 while no broker answers the role."
        )
        static let isolated = Metric(
            .counter,
            "flywheel_records_isolated_total",
            ["role"],
            help: "Records quarantined because they crashed workers."
        )
        static let refusedTransactions = Metric(
            .counter,
            "flywheel_turns_refused_total",
            ["role"],
            help: "Transactions that the role could not finish and retried."
        )
        static let storagePaused = Metric(
            .gauge,
            "flywheel_storage_held_up",
            ["role"],
            help: "1 while the store refuses reads or writes of the role."
        )
        static let storageRefusals = Metric(
            .counter,
            "flywheel_storage_refusals_total",
            ["role"],
            help: "Reads and writes that the store refused; the role retries them."
        )
        static let deadLetters = Metric(
            .counter,
            "flywheel_dead_letters_total",
            ["stage", "code"],
            help: "Records written to dead-letters."
        )
        static let deadLettersLeftOut = Metric(
            .counter,
            "flywheel_dead_letters_left_out_total",
            ["code"],
            help: "Refused records that were only counted because the quota of dead letters was used up."
        )
        static let remarks = Metric(
            .counter,
            "flywheel_intake_remarks_total",
            ["member"],
            help: "Records accepted although an informative member was unusable."
        )
        static let forwarded = Metric(
            .counter,
            "flywheel_intake_forwarded_total",
            [],
            help: "Journal entries written by Intake."
        )
        static let feedbackLeftOut = Metric(
            .counter,
            "flywheel_feedback_left_out_total",
            [],
            help: "Feedback events that were only counted, because their users were not selected for the journal."
        )
        static let refusedEntries = Metric(
            .counter,
            "flywheel_entries_refused_total",
            ["code"],
            help: "Journal entries that changed nothing."
        )
        static let entries = Metric(.counter, "flywheel_loop_entries_total", [], help: "Journal entries applied.")
        static let decisions = Metric(.counter, "flywheel_loop_decisions_total", [], help: "Decisions made.")
        /// Metrics of every role.
        static let ofRoles = [
            read, written, committed, aborted, restarted, retries, expired, isolated, refusedTransactions,
        ]
    }

    private func counter(_ metric: Metric, _ labels: [String: String] = [:]) -> Counter {
        assert(metric.fits(.counter, labels))
        return registry.counter(metric.name, help: metric.help, labels: labels)
    }

    private func gauge(_ metric: Metric, _ labels: [String: String] = [:]) -> Gauge {
        assert(metric.fits(.gauge, labels))
        return registry.gauge(metric.name, help: metric.help, labels: labels)
    }

    private func commitDuration(_ labels: [String: String]) -> Histogram {
        let metric = Metric.commitDuration
        assert(metric.fits(.histogram, labels))
        return registry.histogram(metric.name, help: metric.help, labels: labels)
    }

    /// Registers at 0 the metrics that these roles may count, before they have counted anything: if a counter appears
    /// only with its first event, that event is not visible as an increase. Metrics whose labels have no known set of
    /// values are left out: projects, and members that producers name.
    public func register(_ roles: [Role]) {
        for role in roles where role != .console {
            let labels = ["role": role.rawValue]
            for metric in Metric.ofRoles { _ = counter(metric, labels) }
            _ = commitDuration(labels)
            gauge(.unreachable, labels).set(0)
            observe(topicProblems: 0, role)
            switch role {
            case .intake: registerIntake()
            case .loop: registerLoop()
            case .materializer, .trainer: registerStorage(labels)
            case .console: break
            }
            if role == .loop || role == .materializer { observe(stops: [], stage: role.rawValue) }
        }
    }

    private func registerIntake() {
        for code in RecordRejection.Code.allCases {
            _ = counter(.deadLetters, ["stage": "intake", "code": code.rawValue])
            _ = counter(.deadLettersLeftOut, ["code": code.rawValue])
        }
        _ = counter(.forwarded)
        _ = counter(.feedbackLeftOut)
        observe(faultyRecords: 0)
    }

    private func registerLoop() {
        for code in EntryRejection.Code.allCases {
            _ = counter(.refusedEntries, ["code": code.rawValue])
            if code.isDeadLetter { _ = counter(.deadLetters, ["stage": "loop", "code": code.rawValue]) }
        }
        _ = counter(.deadLetters, ["stage": "loop", "code": "unreadable_entry"])
        _ = counter(.entries)
        _ = counter(.decisions)
    }

    private func registerStorage(_ labels: [String: String]) {
        gauge(.storagePaused, labels).set(0)
        _ = counter(.storageRefusals, labels)
    }

    func observe(_ event: StreamTaskEvent, _ role: Role) {
        let labels = ["role": role.rawValue]
        switch event {
        case .committed(let records, let outputs, let milliseconds):
            counter(.read, labels).increment(by: records)
            counter(.written, labels).increment(by: outputs)
            counter(.committed, labels).increment()
            commitDuration(labels).observe(Double(milliseconds) / 1_000)
        case .aborted: counter(.aborted, labels).increment()
        case .restarted: counter(.restarted, labels).increment()
        case .retrying: counter(.retries, labels).increment()
        case .expired(_, let from, let to): counter(.expired, labels).increment(by: Int(to - from))
        case .unreachable: observe(isReachable: false, role)
        case .reachable: observe(isReachable: true, role)
        case .quarantining: counter(.isolated, labels).increment()
        case .refused: counter(.refusedTransactions, labels).increment()
        case .assigned, .unassigned, .foundUnclean, .paused, .resumed: break
        }
    }

    func observe(isReachable: Bool, _ role: Role) {
        gauge(.unreachable, ["role": role.rawValue]).set(isReachable ? 0 : 1)
    }

    func observe(_ backoff: StorageBackoff, _ role: Role) {
        let labels = ["role": role.rawValue]
        gauge(.storagePaused, labels).set(backoff.isActive ? 1 : 0)
        if backoff.isActive { counter(.storageRefusals, labels).increment() }
    }

    /// Adds increments to the counters of one metric, one counter for each set of labels.
    private func add(
        _ metric: Metric,
        _ counts: [String: Int64],
        since last: [String: Int64],
        labels: (String) -> [String: String]
    ) {
        for (key, count) in counts where count > last[key] ?? 0 {
            counter(metric, labels(key)).increment(by: Int(count - (last[key] ?? 0)))
        }
    }

    func observe(_ counts: IntakeCounts, since last: IntakeCounts) {
        add(.deadLetters, counts.dead, since: last.dead) { ["stage": "intake", "code": $0] }
        add(.deadLettersLeftOut, counts.dropped, since: last.dropped) { ["code": $0] }
        add(.remarks, counts.remarked, since: last.remarked) { ["member": $0] }
        counter(.forwarded).increment(by: Int(counts.forwarded - last.forwarded))
        counter(.feedbackLeftOut).increment(by: Int(counts.feedbackLeftOut - last.feedbackLeftOut))
    }

    func observe(_ counts: LoopCounts, since last: LoopCounts) {
        add(.refusedEntries, counts.refused, since: last.refused) { ["code": $0] }
        let deadLetters = counts.refused.filter { EntryRejection.Code(rawValue: $0.key)?.isDeadLetter ?? false }
        add(.deadLetters, deadLetters, since: last.refused) { ["stage": "loop", "code": $0] }
        counter(.deadLetters, ["stage": "loop", "code": "unreadable_entry"])
            .increment(by: Int(counts.unreadable - last.unreadable))
        counter(.entries).increment(by: Int(counts.entries - last.entries))
        counter(.decisions).increment(by: Int(counts.decisions - last.decisions))
    }

    func observe(stops: [PartitionStop], stage: String) {
        registry.gauge(
            "flywheel_partitions_stopped",
            help: "Stopped partitions: a newer build is needed, or facts are missing.",
            labels: ["stage": stage]
        ).set(stops.count)
    }

    func observe(_ reading: UnsealedCuts.Reading) {
        let labels = ["project": reading.project]
        registry.gauge(
            "flywheel_versions_unsealed",
            help: "Dataset versions that are cut and not yet announced by the materializer.",
            labels: labels
        ).set(reading.count)
        registry.gauge(
            "flywheel_oldest_unsealed_version_seconds",
            help: "Age in seconds of the oldest version that flywheel_versions_unsealed counts; 0 without one.",
            labels: labels
        ).set(Double(reading.age) / 1_000)
    }

    func observe(faultyRecords count: Int) {
        registry.gauge(
            "flywheel_project_faults",
            help:
                "Projects whose newest record is faulty: an older revision stays in force, if there is one."
        ).set(count)
    }

    func observe(topicProblems count: Int, _ role: Role) {
        registry.gauge(
            "flywheel_topic_problems",
            help:
                "Topics of a role that are missing, forbidden, have the wrong number of partitions, or are held by an open transaction.",
            labels: ["role": role.rawValue]
        ).set(count)
    }

    /// Sets the metrics of a challenger; nil while no challenger shadows, then all of them are 0.
    func observe(_ standing: ChallengerStanding?, _ labels: [String: String]) {
        registry.gauge("flywheel_challenger", help: "1 while a challenger shadows the champion.", labels: labels)
            .set(standing == nil ? 0 : 1)
        for (result, count) in [("won", standing?.won ?? 0), ("lost", standing?.lost ?? 0)] {
            registry.gauge(
                "flywheel_challenger_pairs",
                help: "Audit labels that only the challenger (won) or only the champion (lost) predicted correctly.",
                labels: labels.merging(["result": result]) { $1 }
            ).set(count)
        }
        registry.gauge(
            "flywheel_challenger_log_evidence",
            help: "Logarithm of the e-value, the evidence that the challenger is better.",
            labels: labels
        ).set(standing?.logE ?? 0)
        registry.gauge(
            "flywheel_challenger_log_threshold",
            help: "Threshold of flywheel_challenger_log_evidence for a promotion.",
            labels: labels
        ).set(standing?.threshold ?? 0)
        registry.gauge(
            "flywheel_challenger_live_predictions",
            help: "Live predictions of the challenger on audit samples.",
            labels: labels
        ).set(standing?.livePredictions ?? 0)
        registry.gauge(
            "flywheel_challenger_live_predictions_needed",
            help: "Live predictions on audit samples that a promotion requires.",
            labels: labels
        ).set(standing?.minimumPredictions ?? 0)
    }

    func observe(_ summary: ProjectSummary) {
        let labels = ["project": summary.project]
        registry.gauge("flywheel_tasks_open", help: "Labeling tasks open now.", labels: labels).set(summary.openTasks)
        registry.gauge(
            "flywheel_budget_votes_left",
            help: "Votes left in the window's budget.",
            labels: labels
        )
        .set(summary.votesLeft)
        registry.gauge("flywheel_project_paused", help: "1 while the project is paused.", labels: labels)
            .set(summary.pause == nil ? 0 : 1)
        observe(summary.standing, labels)
        registry.gauge("flywheel_labels", help: "Labels accepted.", labels: labels).set(summary.labels)
        registry.gauge("flywheel_dataset_versions", help: "Dataset versions cut.", labels: labels).set(summary.versions)
        for phase in summary.phases {
            registry.gauge(
                "flywheel_cycle_stage_seconds",
                help: "Mean duration of a phase of the cycle, in seconds.",
                labels: ["project": summary.project, "stage": phase.name]
            ).set(phase.meanSeconds)
        }
    }
}
