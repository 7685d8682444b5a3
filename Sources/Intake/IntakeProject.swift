internal import Acquisition
internal import Events
internal import Flywheel
internal import Hashing
internal import Labeling
internal import Vocabulary

/// Intake's knowledge of a project: its revision, its classes, its hashes for sampling, its models.
package struct IntakeProject {
    let configuration: ProjectConfiguration
    /// Space that must contain the embeddings; the loop learns the parts that the configuration leaves open.
    var space: EmbeddingSpace { didSet { door = SpaceDoor(space) } }
    /// Check of `space` for records that are scanned without being parsed.
    private(set) var door: SpaceDoor
    /// Maximum size, in bytes, of a record whose sample is certain to fit into a task of the project.
    let sampleLimit: Int
    private let auditPrefix: UniformHashPrefix
    /// Draw for the audit sample; its hash identifies a sample.
    let audit: UniformHash
    let random: StableHash
    /// The draw for users whose feedback enters the journal.
    let feedbackDraw: StableHash
    /// Acquisition function of the configuration, read for every record.
    let function: AcquisitionFunction
    let temperature: Double
    /// Samples with a draw below this are in the audit sample; 0 if no audit tasks are wanted: then all samples may be
    /// used for training.
    let auditCutoff: Double
    /// Samples for which the pool still has capacity.
    var filling: PoolFilling
    /// Positions of the classes, by their names in quotes.
    private let classes: NameTable
    let classView: NameView
    let classCount: Int
    /// Marks of the classes that the current event has already named: equal to `stamp`. Used only when a word has too
    /// few bits.
    private var stamps: ContiguousArray<UInt32>
    private var stamp: UInt32 = 0
    /// Whether the loop waits for predictions of disputed samples.
    private(set) var hasDisputed = false
    private var disputed: Set<UInt64> = []
    /// Number of predictions of disputed samples that are still forwarded: a few samples must not fill the journal.
    private var disputedPredictionsLeft = 0
    private static let predictionsPerDisputedSample = 8
    /// Triggers of the project; nil if it has none.
    var triggers: TriggerSet?
    let hasTriggers: Bool
    /// Whether triggers read metadata, which only a full parse reads.
    let readsMetadata: Bool
    /// Whether triggers use the probabilities of classes.
    let watchesClasses: Bool

    /// Positions in `streams` of the model versions; the positions `others` and `unseen` belong to no version.
    private var versions = NameTable()
    private(set) var streams: ContiguousArray<ModelTraffic> = []
    /// Transaction in which the capacity for model versions was exhausted; -1 if there was none.
    private var fullTransaction = -1
    /// Candidates wanted per second from a worker that reads all of the traffic.
    private let rate: Double
    /// Share of the candidates that is admitted by hash; the loop's measurements may add to the share that the policy
    /// states.
    private var explorationShare: Double
    /// The worker's share of the traffic that was last set on the streams.
    private var trafficShare = 0.0

    /// Number of model versions that are distinguished; in a transaction with more, the others are counted together,
    /// and none of their predictions passes.
    package static let versionCapacity = 64
    /// Position in `streams` at which versions beyond the capacity are counted.
    static let others = 0
    /// Position in `streams` of samples that no model has seen.
    static let unseen = 1

    /// Creates a project under a revision; `pool` contains the loop's rows of its pool, if they are known.
    init(_ configuration: ProjectConfiguration, salt: [UInt8], pool: PoolRows? = nil) {
        self.configuration = configuration
        filling = PoolFilling(configuration, pool)
        space = configuration.embedding ?? EmbeddingSpace()
        door = SpaceDoor(space)
        let name = configuration.project.rawValue
        auditPrefix = UniformHashPrefix(StableHash(project: name, purpose: "audit", salt: salt))
        audit = auditPrefix.hash
        random = StableHash(project: name, purpose: "random", salt: salt)
        feedbackDraw = StableHash(project: name, purpose: "feedback", salt: salt)
        classes = NameTable(configuration.schema.classes.enumerated().map { Self.quoted($1, at: $0) })
        classView = classes.view
        classCount = configuration.schema.classes.count
        // The parts of a sample take no more bytes in a task than in the sample's record.
        sampleLimit = min(
            RecordLimits.sample,
            RecordLimits.record - RecordLimits.taskOverhead - configuration.question.encodedSize
        )
        stamps = ContiguousArray(repeating: 0, count: configuration.schema.classes.count)
        let policy = configuration.acquisition
        function = policy.function
        temperature = policy.temperature
        auditCutoff = policy.isAudited ? policy.auditCutoff : 0
        triggers = TriggerSet(configuration)
        hasTriggers = triggers != nil
        readsMetadata = triggers?.readsMetadata ?? false
        watchesClasses = triggers?.watchesClasses ?? false
        explorationShare = policy.function == .random ? 0 : policy.explorationShare
        let tasks = Double(policy.votes) / Double(max(1, configuration.labeling.maximumVotes))
        rate = policy.oversample * tasks / Double(max(1, policy.window)) * 1_000
    }

    /// Returns the name of a class as it occurs in a plain record, in quotes. A name that JSON must escape never occurs
    /// in that form: such a record is parsed.
    private static func quoted(_ name: String, at index: Int) -> String {
        // No key begins with a colon, so this placeholder is never found.
        let isPlain = name.utf8.allSatisfy { $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"") && $0 >= 0x20 }
        return isPlain ? "\"\(name)\"" : ":\(index)"
    }

    /// Creates the streams that do not depend on a model, and stores the worker's share of the traffic, in `0...1`.
    private mutating func prepare(_ share: Double) {
        guard streams.isEmpty else { return }
        triggers?.restartLimits(share: share)
        trafficShare = share
        streams.append(stream(nil, rate: 0))
        streams.append(stream(nil, rate: rate * share))
    }

    /// Sets the worker's share of the traffic, in `0...1`.
    mutating func setShare(_ share: Double) {
        guard !streams.isEmpty else { return }
        triggers?.setShare(share)
        trafficShare = share
        setRates()
    }

    private mutating func setRates() {
        for index in streams.indices where index != Self.others {
            streams[index].setRate(rate * trafficShare, exploration: explorationShare)
        }
    }

    /// Sets the extra share of exploration, which the loop derives from how often models are confident and wrong; see
    /// `ExplorationLevel`.
    mutating func setExploration(extra: Double) {
        let policy = configuration.acquisition
        let share = policy.function == .random ? 0 : policy.explorationShare(extra: extra)
        guard share != explorationShare else { return }
        explorationShare = share
        setRates()
    }

    /// Sets the samples for which users dispute a version's prediction and whose content the loop lacks.
    mutating func setDisputed(_ hashes: Set<UInt64>) {
        guard hashes != disputed else { return }
        // New samples add capacity; removed samples do not reduce it.
        disputedPredictionsLeft += hashes.subtracting(disputed).count * Self.predictionsPerDisputedSample
        disputed = hashes
        if hashes.isEmpty { disputedPredictionsLeft = 0 }
        hasDisputed = disputedPredictionsLeft > 0
    }

    /// Whether a prediction is forwarded because its sample is disputed; not `inline` in a hot path, because hardly any
    /// project has such samples.
    @inline(never)
    mutating func admitsDisputed(_ hash: UInt64) -> Bool {
        guard disputedPredictionsLeft > 0, disputed.contains(hash) else { return false }
        disputedPredictionsLeft -= 1
        hasDisputed = disputedPredictionsLeft > 0
        return true
    }

    private func stream(_ version: ModelVersion?, rate: Double) -> ModelTraffic {
        ModelTraffic(
            version: version,
            rate: rate,
            policy: configuration.acquisition,
            exploration: explorationShare,
            nameConditions: triggers?.nameConditions(version: version, metadata: .none) ?? []
        )
    }

    /// Begins an event: no class has been named yet.
    mutating func beginEvent() {
        if stamp == .max {
            for index in stamps.indices { stamps[index] = 0 }
            stamp = 0
        }
        stamp += 1
    }

    /// Notes that the event names a class; false if it has named it before.
    @inline(never)
    mutating func markNamed(_ label: Int) -> Bool {
        guard stamps[label] != stamp else { return false }
        stamps[label] = stamp
        return true
    }

    /// Finds the position in `streams` of a model version, or assigns one.
    ///
    /// - Parameters:
    ///   - version: UTF-8; empty for samples that no model has seen.
    ///   - transaction: The open transaction.
    ///   - share: The part of the traffic that this worker sees, in `0...1`.
    /// - Returns: Nil if `version` is no valid name.
    mutating func stream(_ version: UnsafeRawBufferPointer, in transaction: Int, share: Double) -> Int? {
        if let known = versions.view.find(version) { return known }
        prepare(share)
        if version.count == 0 { return Self.unseen }
        if fullTransaction == transaction { return Self.others }
        guard let name = ModelVersion(checking: String(decoding: version, as: UTF8.self)) else { return nil }
        if streams.count >= Self.versionCapacity + 2 {
            makeRoom(in: transaction)
            guard streams.count < Self.versionCapacity + 2 else {
                fullTransaction = transaction
                return Self.others
            }
        }
        versions.insert(version, streams.count)
        streams.append(stream(name, rate: rate * share))
        return streams.count - 1
    }

    /// Removes half of the versions, the least recently received ones, but none that the transaction has counted.
    private mutating func makeRoom(in transaction: Int) {
        let known = streams[2...].sorted { $0.lastTransaction > $1.lastTransaction }
        let activeCount = known.prefix { $0.lastTransaction == transaction }.count
        streams.removeSubrange(2...)
        versions = NameTable()
        for stream in known.prefix(max(activeCount, Self.versionCapacity / 2)) {
            versions.insert(stream.version?.rawValue ?? "", streams.count)
            streams.append(stream)
        }
    }

    /// Calls `body` on a stream in place.
    @inline(__always)
    mutating func withStream<R>(_ index: Int, _ body: (inout ModelTraffic) -> R) -> R { body(&streams[index]) }

    /// Sets the counts of a transaction to 0.
    mutating func forgetTransaction(_ transaction: Int) {
        for index in streams.indices where streams[index].lastTransaction == transaction { streams[index].forget() }
    }

    /// Carries over the counts of an older revision in the pending transaction, without its thresholds.
    mutating func inherit(_ old: IntakeProject, in transaction: Int, share: Double) {
        filling.inherit(old.filling)
        for (index, stream) in old.streams.enumerated() where stream.lastTransaction == transaction {
            prepare(share)
            if index < 2 {
                streams[index].inherit(stream)
            } else if var name = stream.version?.rawValue {
                let index = name.withUTF8 { self.stream(UnsafeRawBufferPointer($0), in: transaction, share: share) }
                if let index { streams[index].inherit(stream) }
            }
        }
    }
}
