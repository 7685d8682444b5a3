internal import Foundation
internal import Statistics

/// Runs iterations of targets in this process, each target for its share of the time, and keeps the faults.
struct FuzzWorker {
    let targets: [any FuzzTarget]
    let folder: FuzzFolder
    let seed: UInt64
    /// The next iteration of each target.
    private var next: [String: UInt64]
    private var spent: [String: Double] = [:]
    private var outcomes = FuzzOutcomes()
    private var saved = 0

    init(targets: [any FuzzTarget], folder: FuzzFolder, seed: UInt64, next: [String: UInt64]) {
        self.targets = targets
        self.folder = folder
        self.seed = seed
        self.next = next
    }

    /// Runs the targets for so many seconds, each for at least one iteration.
    mutating func run(seconds: Double) throws {
        let clock = ContinuousClock()
        let began = clock.now
        var savedAt = began
        let recorder = try InputRecorder(path: folder.current)
        while let target = due() {
            let now = clock.now
            let isStarted = targets.allSatisfy { spent[$0.name] != nil }
            if isStarted, began.duration(to: now) > .seconds(seconds) { break }
            let isClean = runOnce(target, recorder)
            let end = clock.now
            spent[target.name, default: 0] += (end - now) / .seconds(1)
            // A finding is reported even if the next iteration traps.
            if !isClean || savedAt.duration(to: end) > .seconds(1) {
                savedAt = end
                try saveProgress()
            }
        }
        try saveProgress()
    }

    /// Ends this process within a second of its parent's end, whatever an iteration does: no other process would end a
    /// hanging iteration once the runner has been killed.
    static func exitWhenOrphaned(by runner: Int32) {
        Thread.detachNewThread {
            // An orphan has another parent.
            while getppid() == runner { Thread.sleep(forTimeInterval: 1) }
            _exit(3)
        }
    }

    /// The target that has received the least of its share of the time.
    private func due() -> (any FuzzTarget)? {
        targets.min { (spent[$0.name] ?? 0) / $0.weight < (spent[$1.name] ?? 0) / $1.weight }
    }

    private mutating func runOnce(_ target: any FuzzTarget, _ recorder: InputRecorder) -> Bool {
        let iteration = next[target.name] ?? 0
        next[target.name] = iteration + 1
        recorder.begin(target.name, seed: seed, iteration: iteration)
        var generator = SplitMix64(seed: seed, target: target.name, iteration: iteration)
        var isClean = true
        do {
            try target.run(&generator, recorder, &outcomes)
        } catch {
            isClean = false
            outcomes.add("faults", target.name)
            saved += 1
            if saved <= FuzzFolder.maximumFindings {
                folder.saveFinding(
                    target.name,
                    seed: seed,
                    iteration: iteration,
                    reason: "\(error)",
                    recorder: recorder
                )
            }
        }
        outcomes.add("iterations", target.name)
        outcomes.add("inputs", target.name, recorder.steps)
        return isClean
    }

    private func saveProgress() throws {
        let numbers = next.sorted { $0.key < $1.key }.map { JSONTree.Member($0.key, .word(String($0.value))) }
        let progress: JSONTree = ["next": .object(numbers), "outcomes": outcomes.tree]
        try Data(progress.bytes).write(to: URL(fileURLWithPath: folder.progress), options: .atomic)
    }
}

/// Folder in which a run keeps its files.
struct FuzzFolder {
    let path: String
    static let maximumFindings = 20

    init(path: String) throws {
        self.path = URL(fileURLWithPath: path).path
        try FileManager.default.createDirectory(atPath: path + "/findings", withIntermediateDirectories: true)
    }

    var current: String { path + "/current.jsonl" }
    var progress: String { path + "/progress.json" }
    var errors: String { path + "/errors.txt" }

    func finding(_ target: String, _ seed: UInt64, _ iteration: UInt64) -> String {
        "\(path)/findings/\(target)-\(seed)-\(iteration)"
    }

    /// Saves the current input, and the reason in a file beside it.
    func saveFinding(_ target: String, seed: UInt64, iteration: UInt64, reason: String, recorder: InputRecorder) {
        let name = finding(target, seed, iteration)
        try? recorder.save(to: name + ".jsonl")
        try? Data((reason + "\n").utf8).write(to: URL(fileURLWithPath: name + ".txt"))
    }

    /// The files of inputs that were found, in order.
    var findings: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path + "/findings")) ?? []
        return names.filter { $0.hasSuffix(".jsonl") }.sorted()
    }

    /// Removes what an earlier run left.
    func clear() {
        try? FileManager.default.removeItem(atPath: path + "/findings")
        try? FileManager.default.createDirectory(atPath: path + "/findings", withIntermediateDirectories: true)
        for file in [current, progress, errors] { try? FileManager.default.removeItem(atPath: file) }
    }

    func modified(_ file: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date
    }

    func tree(_ file: String) -> JSONTree? {
        (try? Data(contentsOf: URL(fileURLWithPath: file))).flatMap { JSONTree(reading: [UInt8]($0)) }
    }
}
