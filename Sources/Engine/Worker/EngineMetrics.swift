internal import StreamRuntime
public import Telemetry
internal import Vocabulary

/// The metrics of a worker: every name in one place.
public struct EngineMetrics: Sendable {
    public let registry: MetricsRegistry

    public init(registry: MetricsRegistry) { self.registry = registry }

    func observe(_ event: StreamTaskEvent, _ role: Role) {
        let labels = ["role": role.rawValue]
        switch event {
        case .committed(let records, let outputs, let milliseconds):
            registry.counter("flywheel_records_read_total", help: "Records read and committed.", labels: labels)
                .increment(by: records)
            registry.counter("flywheel_records_written_total", help: "Records written and committed.", labels: labels)
                .increment(by: outputs)
            registry.counter("flywheel_transactions_committed_total", help: "Transactions committed.", labels: labels)
                .increment()
            registry.histogram(
                "flywheel_commit_duration_seconds",
                help: "From opening a transaction to its commit.",
                labels: labels
            ).observe(Double(milliseconds) / 1_000)
        case .aborted:
            registry.counter("flywheel_transactions_aborted_total", help: "Transactions aborted.", labels: labels)
                .increment()
        case .restarted:
            registry.counter(
                "flywheel_producers_restarted_total",
                help: "Producers made anew after a fatal error.",
                labels: labels
            ).increment()
        case .retrying:
            registry.counter("flywheel_retries_total", help: "Calls tried again.", labels: labels).increment()
        case .expired(_, let from, let to):
            registry.counter(
                "flywheel_records_expired_total",
                help: "Records that expired before they were read.",
                labels: labels
            ).increment(by: Int(to - from))
        case .unreachable, .reachable:
            registry.gauge("flywheel_brokers_unreachable", help: "1 while no broker answers a role.", labels: labels)
                .set(isUnreachable(event) ? 1 : 0)
        case .isolating:
            registry.counter(
                "flywheel_records_isolated_total",
                help: "Records taken out of the stream because they brought workers down.",
                labels: labels
            ).increment()
        case .refused:
            registry.counter(
                "flywheel_turns_refused_total",
                help: "Turns that a role could not work out and tried again.",
                labels: labels
            ).increment()
        case .assigned, .unassigned, .foundUnclean, .paused, .resumed: break
        }
    }

    private func isUnreachable(_ event: StreamTaskEvent) -> Bool {
        if case .unreachable = event { true } else { false }
    }

    func observe(_ holdUp: HoldUp, _ role: Role) {
        let labels = ["role": role.rawValue]
        registry.gauge("flywheel_storage_held_up", help: "1 while a disk refuses a role's work.", labels: labels)
            .set(holdUp.isActive ? 1 : 0)
        guard holdUp.isActive else { return }
        registry.counter(
            "flywheel_storage_refusals_total",
            help: "Writes that a disk refused and that are tried again.",
            labels: labels
        ).increment()
    }

    /// Adds what has come to the counters of one name, a label set each.
    private func counters(
        _ name: String,
        help: String,
        by counts: [String: Int64],
        since last: [String: Int64],
        labels: (String) -> [String: String]
    ) {
        for (key, count) in counts where count > last[key] ?? 0 {
            registry.counter(name, help: help, labels: labels(key)).increment(by: Int(count - (last[key] ?? 0)))
        }
    }

    func observe(_ counts: IntakeCounts, since last: IntakeCounts) {
        counters(
            "flywheel_dead_letters_total",
            help: "Records sent to the dead letters.",
            by: counts.dead,
            since: last.dead,
            labels: { ["stage": "intake", "code": $0] }
        )
        counters(
            "flywheel_dead_letters_left_out_total",
            help: "Bad records of the traffic that were counted and not kept, for there were too many.",
            by: counts.dropped,
            since: last.dropped,
            labels: { ["code": $0] }
        )
        counters(
            "flywheel_intake_remarks_total",
            help: "Records taken although a member that only informs could not be used as it stands.",
            by: counts.remarked,
            since: last.remarked,
            labels: { ["member": $0] }
        )
        registry.counter("flywheel_intake_forwarded_total", help: "Journal entries written by Intake.")
            .increment(by: Int(counts.forwarded - last.forwarded))
    }

    func observe(_ counts: LoopCounts, since last: LoopCounts) {
        for (code, count) in counts.refused where count > last.refused[code] ?? 0 {
            registry.counter(
                "flywheel_entries_refused_total",
                help: "Journal entries that changed nothing.",
                labels: ["code": code]
            ).increment(by: Int(count - (last.refused[code] ?? 0)))
            guard Refusal.Code(rawValue: code)?.isDeadLetter ?? false else { continue }
            registry.counter(
                "flywheel_dead_letters_total",
                help: "Records sent to the dead letters.",
                labels: ["stage": "loop", "code": code]
            ).increment(by: Int(count - (last.refused[code] ?? 0)))
        }
        if counts.unreadable > last.unreadable {
            registry.counter(
                "flywheel_dead_letters_total",
                help: "Records sent to the dead letters.",
                labels: ["stage": "loop", "code": "unreadable_entry"]
            ).increment(by: Int(counts.unreadable - last.unreadable))
        }
        registry.counter("flywheel_loop_entries_total", help: "Journal entries applied.")
            .increment(by: Int(counts.entries - last.entries))
        registry.counter("flywheel_loop_decisions_total", help: "Decisions made.")
            .increment(by: Int(counts.decisions - last.decisions))
    }

    func observe(stops: [PartitionStop], stage: String) {
        registry.gauge(
            "flywheel_partitions_stopped",
            help: "Partitions that are processed no further: a newer build is needed, or facts are missing.",
            labels: ["stage": stage]
        ).set(stops.count)
    }

    func observe(faultyRecords count: Int) {
        registry.gauge(
            "flywheel_project_faults",
            help:
                "Newest records of projects that cannot be followed: an older revision stays in force, if there is one."
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

    /// Nil while nobody shadows: then all of it is 0.
    func observe(_ standing: ChallengerStanding?, _ labels: [String: String]) {
        registry.gauge("flywheel_challenger", help: "1 while a challenger shadows the champion.", labels: labels)
            .set(standing == nil ? 0 : 1)
        for (result, count) in [("won", standing?.won ?? 0), ("lost", standing?.lost ?? 0)] {
            registry.gauge(
                "flywheel_challenger_pairs",
                help: "Audit labels that challenger (won) or champion (lost) alone got right.",
                labels: labels.merging(["result": result]) { $1 }
            ).set(count)
        }
        registry.gauge(
            "flywheel_challenger_log_evidence",
            help: "Logarithm of the e-value that the challenger is better.",
            labels: labels
        ).set(standing?.logE ?? 0)
        registry.gauge(
            "flywheel_challenger_log_threshold",
            help: "What flywheel_challenger_log_evidence must reach for a promotion.",
            labels: labels
        ).set(standing?.threshold ?? 0)
        registry.gauge(
            "flywheel_challenger_live_predictions",
            help: "Live predictions of the challenger on audit samples.",
            labels: labels
        ).set(standing?.livePredictions ?? 0)
        registry.gauge(
            "flywheel_challenger_live_predictions_needed",
            help: "How many of these it must have made for a promotion.",
            labels: labels
        ).set(standing?.minimumPredictions ?? 0)
    }

    func observe(_ summary: ProjectSummary) {
        let labels = ["project": summary.project]
        registry.gauge("flywheel_tasks_open", help: "Labeling tasks open now.", labels: labels).set(summary.openTasks)
        registry.gauge(
            "flywheel_budget_votes_left",
            help: "Votes that the window's budget still holds.",
            labels: labels
        )
        .set(summary.votesLeft)
        registry.gauge("flywheel_project_paused", help: "1 while a project's entries wait.", labels: labels)
            .set(summary.pause == nil ? 0 : 1)
        observe(summary.standing, labels)
        registry.gauge("flywheel_labels", help: "Labels accepted.", labels: labels).set(summary.labels)
        registry.gauge("flywheel_dataset_versions", help: "Dataset versions cut.", labels: labels).set(summary.versions)
        for stage in summary.stages {
            registry.gauge(
                "flywheel_cycle_stage_seconds",
                help: "Mean duration of a stage of the cycle.",
                labels: ["project": summary.project, "stage": stage.name]
            ).set(stage.meanSeconds)
        }
    }
}
