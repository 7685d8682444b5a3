import Events
import Fuzzing
import Statistics
import StreamRuntime
import StreamTesting

/// All outside parties in one: a product service, a label tool, a trainer and an operator, which read the decisions and
/// answer them properly. This type makes their records; the sender may corrupt them first.
struct Participants {
    private(set) var projects: [ProjectMaker]
    private let pipeline: Pipeline
    private var truth: [String: Int] = [:]
    private var samples = 0
    private var ids = 0
    /// Offset of the last record read of each topic, by partition.
    private var lastRead: [Topic: [Int64]] = [:]
    /// Open tasks, pending requests, and models, as received.
    private var tasks: [String: (project: String, sample: String, tree: JSONTree)] = [:]
    private var votes: [String: Int] = [:]
    private var requests: [(project: String, tree: JSONTree)] = []
    private var releases: [String: JSONTree] = [:]
    private var versions: [String] = ["v1"]

    init(_ pipeline: Pipeline, projects: [ProjectMaker]) {
        self.pipeline = pipeline
        self.projects = projects
    }

    /// A valid record, whose value is still a tree.
    struct Draft {
        let topic: Topic
        let key: [UInt8]?
        var tree: JSONTree
        var partition: Int32?
    }

    // MARK: - What was decided

    private mutating func newRecords(_ topic: Topic) -> [JSONTree] {
        var trees: [JSONTree] = []
        for partition in 0..<Int(Pipeline.partitions) {
            let from = lastRead[topic]?[partition] ?? -1
            for record in pipeline.cluster.committed(pipeline.topics[topic], Int32(partition))
            where record.offset > from {
                lastRead[topic, default: [-1, -1]][partition] = record.offset
                if let tree = record.value.flatMap({ JSONTree(reading: $0) }) { trees.append(tree) }
            }
        }
        return trees
    }

    /// Reads the records on the topics that it has not read yet.
    mutating func readDecisions() {
        for tree in newRecords(.labelingTasks) {
            guard let id = tree["task"]?.plain, let project = tree["project"]?.plain else { continue }
            let sample = tree["sample"]?["id"]?.plain ?? ""
            tasks[id] = tree["state"]?.plain == "open" ? (project, sample, tree) : nil
        }
        for tree in newRecords(.trainingRequests) {
            guard let project = tree["project"]?.plain else { continue }
            if !pipeline.hasTrainer { requests.append((project, tree)) }
            if let version = tree["model_version"]?.plain { versions.append(version) }
        }
        for tree in newRecords(.modelReleases) {
            guard let project = tree["project"]?.plain else { continue }
            releases[project] = tree
        }
    }

    // MARK: - Product service

    mutating func predictions(_ count: Int, _ generator: inout SplitMix64) -> [Draft] {
        var drafts: [Draft] = []
        for _ in 0..<count {
            let project = generator.pick(projects)
            let isRepeated = samples > 0 && generator.chance(0.05)
            let id = "s\(isRepeated ? generator.next(below: samples) : samples)"
            if !isRepeated { samples += 1 }
            let kind = truth[id] ?? generator.next(below: project.classes.count)
            truth[id] = kind
            var sample: JSONTree = [
                "id": .text(id), "content": ["kind": "uri", "uri": .text("memory:\(id)")],
            ]
            if generator.chance(0.95) {
                sample["embedding"] = .array(
                    (0..<project.dimension).map { axis in
                        let centre = axis == kind % project.dimension ? 4.0 : 0
                        return .word(String(Float(centre + 0.8 * generator.nextNormal())))
                    }
                )
            }
            if generator.chance(0.3) { sample["metadata"] = ["source": .text("s\(generator.next(below: 3))")] }
            let release = releases[project.name]
            var isBare = true
            for role in ["champion", "challenger"] {
                guard let version = release?[role]?["version"] else { continue }
                isBare = false
                drafts.append(
                    prediction(of: project, sample: sample, kind: kind, version: version, role: role, using: &generator)
                )
                guard role == "champion", generator.chance(0.5) else { continue }
                drafts.append(feedback(of: project, sample: id, version: version, kind: kind, using: &generator))
            }
            guard isBare else { continue }
            if generator.chance(0.3) {
                drafts.append(
                    Draft(
                        topic: .predictions,
                        key: Array(id.utf8),
                        tree: ["project": .text(project.name), "sample": sample]
                    )
                )
            } else {
                drafts.append(
                    prediction(
                        of: project,
                        sample: sample,
                        kind: kind,
                        version: "v1",
                        role: "champion",
                        using: &generator
                    )
                )
            }
        }
        return drafts
    }

    private func prediction(
        of project: ProjectMaker,
        sample: JSONTree,
        kind: Int,
        version: JSONTree,
        role: String,
        using generator: inout SplitMix64
    ) -> Draft {
        var tree: JSONTree = [
            "project": .text(project.name), "sample": sample,
            "model": ["name": "linear", "version": version, "variant": "base", "role": .text(role)],
            "output": ["kind": "choice", "probabilities": distribution(project, kind, &generator)],
        ]
        if generator.chance(0.2) {
            tree["members"] = .array((0..<3).map { _ in distribution(project, kind, &generator) })
        }
        if generator.chance(0.2) { tree["score"] = .word(String(generator.nextUnit())) }
        if generator.chance(0.2) {
            tree["logits"] = .array(project.classes.map { _ in .word(String(generator.nextNormal() * 3)) })
        }
        if generator.chance(0.7) { tree["predicted_at_ms"] = .word(String(pipeline.clock.now - 5)) }
        return Draft(topic: .predictions, key: [0x6B], tree: tree)
    }

    private func distribution(_ project: ProjectMaker, _ kind: Int, _ generator: inout SplitMix64) -> JSONTree {
        var weights = project.classes.map { _ in 0.05 + generator.nextUnit() }
        if generator.chance(0.7) { weights[min(kind, weights.count - 1)] += 3 }
        let sum = weights.reduce(0, +)
        return .object(zip(project.classes, weights).map { .init($0, .word(String($1 / sum))) })
    }

    private mutating func feedback(
        of project: ProjectMaker,
        sample: String,
        version: JSONTree,
        kind: Int,
        using generator: inout SplitMix64
    ) -> Draft {
        ids += 1
        var tree: JSONTree = [
            "project": .text(project.name), "id": .text("f\(ids)"), "source": "shop", "sample": .text(sample),
            "model": ["version": version], "user": .text("user-\(generator.next(below: 17))"),
            "verdict": .text(generator.pick(["confirmation", "confirmation", "rejection", "correction"])),
        ]
        if tree["verdict"] == "correction" {
            tree["answer"] = ["kind": "choice", "class": .text(project.classes[min(kind, project.classes.count - 1)])]
        }
        return Draft(topic: .feedback, key: Array(sample.utf8), tree: tree)
    }

    // MARK: - Label tool

    /// Answers to open tasks: most of them right, some skipped, flagged, sent twice, or from an arbitrary annotator.
    mutating func annotations(_ generator: inout SplitMix64) -> [Draft] {
        var drafts: [Draft] = []
        for id in tasks.keys.sorted() {
            guard let task = tasks[id], generator.chance(0.85) else { continue }
            let given = votes[id] ?? 0
            guard given < 8 else { continue }
            votes[id] = given + 1
            let classes = task.tree["question"]?["classes"]?.elements ?? []
            guard !classes.isEmpty else { continue }
            let right = min(truth[task.sample] ?? 0, classes.count - 1)
            let answer = generator.chance(0.85) ? right : generator.next(below: classes.count)
            var tree: JSONTree = [
                "project": .text(task.project), "task": .text(id),
                "annotator": .text(generator.chance(0.05) ? "stranger-\(generator.next(below: 1_000))" : "a\(given)"),
            ]
            // The answer repeats the token of its task.
            if let token = task.tree["token"] { tree["token"] = token }
            switch generator.next(below: 20) {
            case 0: tree["outcome"] = "skip"
            case 1:
                tree["outcome"] = "flag"
                tree["note"] = "what is this?"
            default:
                tree["outcome"] = "answer"
                tree["answer"] = ["kind": "choice", "class": classes[answer]]
            }
            if generator.chance(0.5) { tree["duration_ms"] = .word("\(generator.next(below: 100_000))") }
            if generator.chance(0.3) { tree["answered_at_ms"] = .word("\(pipeline.clock.now)") }
            let draft = Draft(topic: .annotations, key: Array(id.utf8), tree: tree)
            drafts.append(draft)
            if generator.chance(0.1) { drafts.append(draft) }
        }
        return drafts
    }

    // MARK: - Trainer

    /// Results of unanswered requests, for every repeat: most of them finished, some failed or missing.
    mutating func results(_ generator: inout SplitMix64) -> [Draft] {
        var drafts: [Draft] = []
        for (project, request) in requests where generator.chance(0.8) {
            guard request["kind"] == nil else {
                drafts.append(answer(project, request, &generator))
                continue
            }
            let trials = request["trials"]?.elements.count ?? 1
            let tests = request["dataset"]?["counts"]?["test"]?.int ?? 0
            for trial in 0..<trials {
                for number in 0..<(request["repeats"]?.int ?? 1) where generator.chance(0.95) {
                    drafts.append(
                        result(
                            of: project,
                            request: request,
                            trial: trial,
                            number: number,
                            tests: tests,
                            using: &generator
                        )
                    )
                }
            }
        }
        requests.removeAll()
        return drafts
    }

    private func result(
        of project: String,
        request: JSONTree,
        trial: Int,
        number: Int,
        tests: Int,
        using generator: inout SplitMix64
    ) -> Draft {
        var tree: JSONTree = [
            "project": .text(project), "request": request["request"] ?? "", "trial": .word("\(trial)"),
            "repeat": .word("\(number)"),
        ]
        if let token = request["token"] { tree["token"] = token }
        if generator.chance(0.1) {
            tree["status"] = "failed"
            tree["error"] = "out of memory"
            if generator.chance(0.5) { tree["reason"] = "did_not_converge" }
        } else {
            let digest = (0..<64).map { _ in String(generator.next(below: 16), radix: 16) }.joined()
            tree["status"] = "finished"
            tree["artifact"] = [
                "uri": .text("s3://models/\(digest.prefix(8))"), "size": .word("\(generator.next(below: 10_000))"),
                "sha256": .text(digest),
            ]
            if tests > 0 {
                tree["score"] = [
                    "metric": "accuracy", "value": .word(String(generator.nextUnit())), "items": .word("\(tests)"),
                ]
                tree["predictions"] = [
                    "kind": "choice", "classes": .array((0..<tests).map { _ in .word("\(generator.next(below: 3))") }),
                ]
            }
        }
        return Draft(topic: .trainingResults, key: Array(project.utf8), tree: tree)
    }

    // MARK: - Operator

    mutating func command(_ generator: inout SplitMix64) -> Draft {
        ids += 1
        let action = generator.pick([
            "hold", "release_hold", "release_hold", "roll_back", "resume", "register", "revise_label", "retract_label",
            "move_label", "freeze", "unfreeze", "unfreeze", "approve",
        ])
        var tree: JSONTree = [
            "project": .text(generator.pick(projects).name), "id": .text("c\(ids)"), "action": .text(action),
            "by": "olga",
            "reason": "because",
        ]
        if action == "register" {
            tree["model_version"] = .text(generator.pick(versions + ["incumbent"]))
            tree["artifact"] = ["uri": "s3://models/incumbent"]
            if generator.chance(0.5) { tree["metrics"] = ["accuracy": .word(String(generator.nextUnit()))] }
        }
        if action == "roll_back" { tree["model_version"] = .text(generator.pick(versions)) }
        if action.hasSuffix("_label") { tree["sample_id"] = .text("s\(generator.next(below: 400))") }
        if action == "revise_label" { tree["class"] = .text(generator.pick(generator.pick(projects).classes)) }
        if action == "move_label" { tree["split"] = .text(generator.pick(["training", "validation", "test"])) }
        return Draft(topic: .commands, key: nil, tree: tree)
    }

    /// Imported labels, for samples that services know or do not know.
    mutating func imports(_ generator: inout SplitMix64) -> [Draft] {
        (0..<generator.size(below: 4)).map { _ in
            ids += 1
            let number = generator.next(below: 400)
            let project = generator.pick(projects)
            var tree: JSONTree = [
                "project": .text(project.name), "source": .text(generator.pick(["legacy", "tool"])),
                "id": .text("row-\(generator.chance(0.2) ? number : ids)"),
                "sample": ["id": .text("s\(number)")],
            ]
            let answer: JSONTree = ["kind": "choice", "class": .text(generator.pick(project.classes))]
            if generator.chance(0.5) {
                tree["label"] = answer
            } else {
                tree["votes"] = [["annotator": "a", "answer": answer], ["annotator": "b", "answer": answer]]
            }
            if generator.chance(0.3) { tree["split"] = "validation" }
            return Draft(topic: .imports, key: nil, tree: tree)
        }
    }

    mutating func revision(_ index: Int, _ generator: inout SplitMix64) -> Draft {
        let tree = projects[index].next(&generator)
        return Draft(topic: .projects, key: Array(projects[index].name.utf8), tree: tree, partition: 0)
    }
}
