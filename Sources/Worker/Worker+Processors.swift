internal import DatasetFiles
internal import EngineCore
internal import Events
internal import Flywheel
internal import Intake
internal import KafkaTransport
internal import Loop
internal import Materializer
internal import Processes
internal import Storage
internal import StreamRuntime
internal import Synchronization
internal import Telemetry
internal import Trainer
internal import Vocabulary

/// Components of each role, and its reports to health.
extension Worker {
    struct RoleComponents {
        let processor: any Processor
        let inputs: [Topic]
        /// Milliseconds from the first record of a transaction to its commit.
        let interval: Int64
        /// Maximum number of records in a transaction.
        var maximumRecords = 10_000
        var watch: (StreamTaskEvent) -> Void = { _ in }
        /// Remarks for human readers although the role runs.
        var remarks: () -> [String] = { [] }
        /// Reason why the role does less than it should although it runs; nil while there is none.
        var degradation: () -> String? = { nil }
        /// Reason why the role does less than it should, evaluated after everything that may be its cause; nil while
        /// there is none.
        var lateDegradation: () -> String? = { nil }
        /// Called when a run of the role has ended.
        var finish: () -> Void = {}
    }

    func makeComponents(
        _ role: Role,
        thread: Int,
        transport: KafkaStreamTransport,
        logger: Logger
    ) throws -> RoleComponents {
        let topics = configuration.topics
        switch role {
        case .intake:
            let directory = try ProjectDirectory(transport: transport, topics: topics)
            let reader = try transport.makeReader(topics: [topics[.predictions]])
            defer { reader.close() }
            let processor = IntakeProcessor(
                topics: topics,
                directory: directory,
                state: try stateDirectory(transport),
                artifactFolders: ArtifactFolders(
                    roots: configuration.artifactRoots,
                    trainerFolder: StoreLocation.isURL(configuration.artifactsPath) ? nil : configuration.artifactsPath
                ),
                salt: configuration.salt,
                tokens: configuration.tokens,
                worker: configuration.instance,
                partitionCount: try reader.partitions(of: topics[.predictions]).count,
                deadLettersPerSecond: max(1, configuration.deadLettersPerSecond / configuration.threads(role)),
                entryLimits: configuration.entryLimits,
                now: WallClock.now,
                hasHistory: { try IntakeProcessor.hasJournal(transport, topics) }
            )
            var last = IntakeCounts()
            var lastWarningAt: Int64 = 0
            var reported: Int64 = 0
            return RoleComponents(
                processor: processor,
                inputs: IntakeProcessor.inputs,
                interval: configuration.intakeInterval,
                maximumRecords: 100_000,
                watch: { [metrics, processor] event in
                    guard case .committed = event else { return }
                    metrics.observe(processor.counts, since: last)
                    last = processor.counts
                    let (now, leftOut) = (WallClock.now(), processor.counts.droppedTotal)
                    guard leftOut > reported, now - lastWarningAt >= 10_000 || now < lastWarningAt else { return }
                    logger.warning(
                        "too many bad records: some were counted and not kept as dead letters",
                        ["left_out": .number(leftOut - reported)]
                    )
                    (lastWarningAt, reported) = (now, leftOut)
                },
                remarks: { [self, processor] in reportFaults(processor.projectFaults, of: thread, logger) }
            )
        case .loop:
            let writer = try makeSnapshotWriter(transport, logger)
            let processor = try LoopProcessor(
                topics: topics,
                transport: transport,
                worker: configuration.instance,
                tokens: configuration.tokens,
                snapshots: writer.map { Self.snapshots($0, logger) },
                now: WallClock.now
            )
            var lastLogAt: Int64 = 0
            processor.restoring = { [health] progress in
                let now = WallClock.now()
                let text = "restoring partition \(progress.partition): \(progress.percent) %"
                health.set(role, .starting, reason: text, at: now)
                guard now - lastLogAt >= 5_000 || now < lastLogAt else { return }
                lastLogAt = now
                logger.info(
                    "restoring",
                    [
                        "partition": .number(progress.partition), "records": .number(progress.records),
                        "offset": .number(progress.offset), "end": .number(progress.end),
                    ]
                )
            }
            processor.restored = { partition, records, milliseconds in
                logger.info(
                    "partition restored",
                    ["partition": .number(partition), "records": .number(records), "ms": .number(milliseconds)]
                )
            }
            processor.pauseChanged = { project, pause in
                guard let pause else { return logger.notice("project resumed", ["project": .string(project)]) }
                logger.error(
                    pause.isResuming ? "project resumes" : "project paused",
                    ["project": .string(project), "state": .string(pause.text)]
                )
            }
            watchStops(processor, logger)
            processor.rereadingFailed = { project, error in
                logger.warning(
                    "the project cannot be read now; reading is retried",
                    ["project": .string(project), "reason": .string(error.description)]
                )
            }
            var last = LoopCounts()
            var lastSummaryAt: Int64 = 0
            var unsealed = UnsealedCuts()
            return RoleComponents(
                processor: processor,
                inputs: LoopProcessor.inputs,
                interval: configuration.loopInterval,
                watch: { [metrics, processor] event in
                    guard case .committed = event else { return }
                    metrics.observe(processor.counts, since: last)
                    last = processor.counts
                    let now = WallClock.now()
                    guard now - lastSummaryAt >= 1_000 || now < lastSummaryAt else { return }
                    lastSummaryAt = now
                    processor.forEachProject { metrics.observe(ProjectSummary($0)) }
                },
                remarks: { [metrics, processor] in
                    metrics.observe(stops: processor.stops, stage: "loop")
                    for reading in unsealed.update(processor, time: WallClock.now()) { metrics.observe(reading) }
                    var remarks: [String] = []
                    processor.forEachProject { project in
                        guard let pause = project.pause else { return }
                        remarks.append("project \(project.state.project) is \(pause.text)")
                    }
                    return remarks
                },
                degradation: { [processor] in processor.stops.first?.text },
                lateDegradation: { unsealed.fault(at: WallClock.now()) },
                finish: { writer?.finish() }
            )
        case .materializer:
            let objects = try openStore(configuration.storePath, transport, logger)
            let store = DatasetStore(objects: objects, compression: configuration.storeCompression)
            let processor = MaterializerProcessor(topics: topics, transport: transport, store: store)
            processor.storagePaused = watchBackoffs(role, logger)
            processor.announcedUnderOtherID = { project, version in
                logger.warning(
                    "another id was announced under this version number: the version in the store is announced, too",
                    [
                        "project": .string(project.rawValue), "ordinal": .number(version.versionNumber),
                        "version": .string(version.id.rawValue),
                    ]
                )
            }
            watchStops(processor, logger)
            return RoleComponents(
                processor: processor,
                inputs: MaterializerProcessor.inputs,
                interval: configuration.loopInterval,
                remarks: { [metrics, processor] in
                    metrics.observe(stops: processor.stops, stage: "materializer")
                    return []
                },
                degradation: { [processor] in processor.stops.first?.text }
            )
        case .trainer, .console:
            let artifacts = try openStore(configuration.artifactsPath, transport, logger)
            // Even if none of its own files is in a bucket, a dataset version may be: it is read if a bucket client can
            // be created.
            let processor = TrainerProcessor(
                topics: topics,
                transport: transport,
                artifacts: artifacts,
                buckets: try? StoreLocation.client(configuration.s3),
                now: WallClock.now
            )
            processor.storagePaused = watchBackoffs(role, logger)
            processor.resumed = { request, count in
                logger.info("study resumed", ["request": .string("\(request)"), "finished": .number(count)])
            }
            processor.failed = { logger.error("training failed", ["reason": .string($0)]) }
            processor.leftOut = { request, labels in
                logger.warning(
                    "labels cannot be trained on",
                    [
                        "request": .string("\(request)"), "training": .number(labels.training),
                        "test": .number(labels.test), "example": .string(labels.example),
                    ]
                )
            }
            return RoleComponents(
                processor: processor,
                inputs: TrainerProcessor.inputs,
                interval: configuration.loopInterval
            )
        }
    }

    /// Returns the directory of the loop's tables that Intake's threads share; a new one if the reader of the old one
    /// has failed.
    private func stateDirectory(_ transport: KafkaStreamTransport) throws -> StateDirectory {
        try sharedStateDirectory.withLock { known in
            if let known, !known.hasFailed { return known }
            let made = try StateDirectory(
                transport: transport,
                topics: configuration.topics,
                salt: configuration.salt
            )
            known = made
            return made
        }
    }

    /// Logs the faults on `projects`, each once.
    ///
    /// - Returns: The texts of the faults for health.
    private func reportFaults(_ faults: [ProjectFault], of thread: Int, _ logger: Logger) -> [String] {
        let (new, count) = reportedFaults.withLock { reported in
            // A fault that one thread has logged is not logged by another, although a budget may return to one thread
            // before the others. A fault that was corrected may be logged again.
            let known = reported.values.reduce(into: Set()) { $0.formUnion($1) }
            reported[thread] = Set(faults)
            let all = reported.values.reduce(into: Set()) { $0.formUnion($1) }
            return (faults.filter { !known.contains($0) }, all.count)
        }
        metrics.observe(faultyRecords: count)
        for fault in new.suffix(20) {
            logger.error(
                "a record of projects is faulty; an older revision stays in force, if there is one",
                [
                    "project": .string(fault.project ?? ""), "offset": .number(fault.offset),
                    "reason": .string(fault.reason),
                ]
            )
        }
        if new.count > 20 {
            logger.error(
                "more records of projects are faulty; see flywheel project list",
                ["count": .number(new.count - 20)]
            )
        }
        return faults.suffix(20).map(\.text)
    }

    private func watchStops(_ processor: any StoppingProcessor, _ logger: Logger) {
        processor.stopped = { stop in
            logger.error(
                "a partition has stopped",
                [
                    "topic": .string(stop.topic), "partition": .number(stop.partition), "offset": .number(stop.offset),
                    "reason": .string(stop.reason),
                ]
            )
        }
    }

    /// Creates the writer of snapshots; nil if none are wanted, or if the folder cannot be used: then every restart
    /// reads the whole changelog.
    ///
    /// - Throws: `EngineError` if the folder belongs to another cluster; `StreamError` if no broker answers.
    private func makeSnapshotWriter(_ transport: KafkaStreamTransport, _ logger: Logger) throws -> SnapshotWriter? {
        guard !configuration.statePath.isEmpty else { return nil }
        let folder = configuration.instance.map { $0 == "/" ? "_" : $0 }
        do {
            let store = try FolderStore(root: "\(configuration.statePath)/\(String(folder))")
            try FolderOwner(cluster: transport.clusterID(), prefix: configuration.topics.prefix).claim(store)
            try store.removeLeftovers(olderThan: .seconds(600))
            return SnapshotWriter(store: store, logger: logger)
        } catch let error as StorageError {
            logger.warning("no snapshots; a restart reads the whole changelog", ["reason": .string("\(error)")])
            return nil
        }
    }

    private static func snapshots(_ writer: SnapshotWriter, _ logger: Logger) -> LoopSnapshots {
        LoopSnapshots(store: writer.store, write: { writer.submit($0) }) { event in
            switch event {
            case .used(let partition, let rows, let offset):
                logger.info(
                    "snapshot read",
                    ["partition": .number(partition), "rows": .number(rows), "offset": .number(offset)]
                )
            case .unusable(let partition, let reason):
                logger.warning(
                    "the snapshot is not used; the whole changelog is read",
                    ["partition": .number(partition), "reason": .string(reason)]
                )
            }
        }
    }

    static func log(_ event: StreamTaskEvent, _ logger: Logger) {
        switch event {
        case .assigned(let partitions):
            logger.info(
                "partitions assigned",
                ["partitions": .string(partitions.map(\.description).joined(separator: " "))]
            )
        case .unassigned(let partitions, let lost):
            logger.info("partitions revoked", ["count": .number(partitions.count), "lost": .bool(lost)])
        case .committed(let records, let outputs, let milliseconds):
            logger.debug(
                "committed",
                ["records": .number(records), "outputs": .number(outputs), "ms": .number(milliseconds)]
            )
        case .aborted(let error): logger.warning("transaction aborted", ["reason": .string(error.description)])
        case .restarted(let error): logger.warning("producer created again", ["reason": .string(error.description)])
        case .expired(let partition, let from, let to):
            logger.error(
                "records expired before they were read",
                ["partition": .string(partition.description), "from": .number(from), "to": .number(to)]
            )
        case .foundUnclean(let partitions):
            logger.notice(
                "the last owner of these partitions died or was fenced: reading in small slices",
                ["partitions": .string(partitions.map(\.description).joined(separator: " "))]
            )
        case .refused(let reason): logger.warning("transaction refused", ["reason": .string(reason)])
        case .quarantining(let partition, let offset, let quarantine):
            logger.error(
                "record quarantined",
                [
                    "partition": .string(partition.description), "offset": .number(offset),
                    "reason": .string(quarantine.text),
                ]
            )
        case .unreachable(let error): logger.warning("no broker answers", ["reason": .string(error.description)])
        case .reachable: logger.notice("a broker answers again")
        case .paused(let partitions): logger.debug("fetching paused", ["partitions": .number(partitions.count)])
        case .resumed(let partitions): logger.debug("fetching resumed", ["partitions": .number(partitions.count)])
        case .retrying(let error, let attempt):
            logger.info("retrying", ["reason": .string(error.description), "attempt": .number(attempt)])
        }
    }
}
