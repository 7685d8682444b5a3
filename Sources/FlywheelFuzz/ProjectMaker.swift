import Fuzzing
import Statistics

/// Makes revisions of small projects whose cycle completes within a minute, with any policy.
struct ProjectMaker {
    let name: String
    let partition: Int32
    private(set) var classes: [String]
    /// Number of coordinates of each embedding.
    let dimension: Int
    private(set) var revision = 0
    private let base: JSONTree

    private static let strategies = [
        "least_confidence", "margin", "ratio", "entropy", "bald", "vote_entropy", "consensus_entropy", "kl_divergence",
        "max_disagreement", "variation_ratio", "provided", "random",
    ]
    private static let rules = [
        "top", "kmeans", "k_center", "badge", "herding", "power", "softmax", "class_balanced", "typical",
    ]
    private static let streams = [
        "random", "fixed_uncertainty", "var_uncertainty", "rand_var_uncertainty", "split", "quantile", "adaptive",
    ]

    init(name: String, partition: Int32, base: JSONTree, _ generator: inout SplitMix64) {
        self.name = name
        self.partition = partition
        self.base = base
        let words = [
            "circle", "square", "star", "0", "1", "weiß nicht", "\"", "a\\b", String(repeating: "k", count: 120),
        ]
        let start = generator.chance(0.7) ? 0 : generator.next(below: 4)
        classes = Array(words[start..<(start + generator.between(2...5))])
        dimension = generator.between(2...6)
    }

    /// The next revision: the first has any policy, later ones change a part of it or append a class.
    mutating func next(_ generator: inout SplitMix64) -> JSONTree {
        revision += 1
        if revision > 1, generator.chance(0.3) { classes.append("class-\(revision)") }
        var tree = base
        tree["project"] = .text(name)
        tree["revision"] = .word(String(revision))
        tree["partition"] = .word(String(partition))
        tree["label_schema"] = [
            "kind": "choice", "question": "What is it?", "classes": .array(classes.map { .text($0) }),
        ]
        tree["acquisition"] = acquisition(tree["acquisition"] ?? [:], &generator)
        let votes = generator.between(1...3)
        tree["labeling"] = [
            "minimum_votes": .word("\(generator.between(1...votes))"), "maximum_votes": .word("\(votes)"),
            "confidence": .word(generator.pick(["0.5", "0.9", "0.99"])),
            "lifetime_ms": .word(generator.pick(["20000", "60000", "3600000"])),
            "maximum_skips": .word("\(generator.between(1...3))"),
        ]
        if generator.chance(0.3) {
            tree["labeling"]?["annotators"] = ["a0", .text("a\(generator.next(below: 8) + 1)")]
        }
        tree["datasets"] = [
            "cut_every": .word("\(generator.between(2...8))"),
            "cut_after_ms": .word(generator.pick(["5000", "30000"])),
        ]
        if generator.chance(0.5) { tree["datasets"]?["format"] = .word(generator.pick(["1", "2", "2"])) }
        var trials: [JSONTree] = [["inverse_regularization": .word("1.0"), "warm_start": .word("true")]]
        if generator.chance(0.3) {
            trials.append([
                "inverse_regularization": .word(generator.pick(["1e-9", "0.1", "1e9"])), "warm_start": .word("false"),
            ])
        }
        tree["training"] = [
            "new_labels": .word("\(generator.between(1...8))"), "trials": .array(trials),
            "repeats": .word("\(generator.between(1...3))"),
            "deadline_after_ms": .word(generator.pick(["10000", "60000", "600000"])),
        ]
        tree["rollout"] = [
            "alpha": .word(generator.pick(["0.05", "0.3", "0.5"])),
            "minimum_shadow": .word("\(generator.between(0...3))"),
            "tolerance": .word("0.1"), "calibration": .word("\(generator.between(1...20))"),
            "false_alarm_every": .word(generator.pick(["100.0", "1000.0", "100000.0"])),
            "user_cap": .word("\(generator.between(1...5))"), "user_window_ms": .word("3600000"),
        ]
        if generator.chance(0.5) {
            tree["rollout"]?["move"] = .word(generator.pick(["true", "true", "false"]))
            tree["rollout"]?["feedback_per_hour"] = .word(generator.pick(["1", "40", "10000"]))
            tree["rollout"]?["window"] = .word(generator.pick(["1", "5", "500", "100000"]))
        }
        tree["embedding"] = embedding(&generator)
        tree["require_tokens"] = .word(generator.chance(0.7) ? "true" : "false")
        // Without this key, feedback is judged as in older revisions.
        if generator.chance(0.7) {
            tree["rollout"]?["rollback_alpha"] = .word(generator.pick(["0.0001", "0.01", "0.5"]))
            if generator.chance(0.3) { tree["rollout"]?["user_buckets"] = .word(generator.pick(["1", "64", "65536"])) }
        }
        // If models are judged by eras, trainers may predict for challengers.
        if generator.chance(0.3) {
            tree["rollout"]?["bound"] = .text(generator.pick(["share", "any"]))
            tree["rollout"]?["provisional"] = .word(generator.pick(["0", "3"]))
            tree["rollout"]?["shadow_wait_ms"] = .word(generator.pick(["1000", "5000"]))
            tree["rollout"]?["predict"] = .word(generator.chance(0.7) ? "true" : "false")
        }
        return tree
    }

    private func embedding(_ generator: inout SplitMix64) -> JSONTree? {
        guard generator.chance(0.4) else { return nil }
        if generator.chance(0.3) { return [:] }
        return [
            "space": .text(revision == 1 || generator.chance(0.8) ? "plane" : "plane-\(revision)"),
            "dimension": .word("\(dimension)"), "norm": .word(generator.pick(["100.0", "1e15"])),
        ]
    }

    private func acquisition(_ base: JSONTree, _ generator: inout SplitMix64) -> JSONTree {
        var tree = base
        tree["strategy"] = .text(generator.chance(0.5) ? "margin" : generator.pick(Self.strategies))
        tree["diverse"] = .word(generator.pick(["true", "false"]))
        let size = generator.between(1...8)
        tree["batch_size"] = .word("\(size)")
        tree["preselection"] = .word("\(generator.between(1...10))")
        tree["pool_capacity"] = .word(generator.pick(["1", "20", "40", "500"]))
        tree["open_task_limit"] = .word("\(size + generator.next(below: 12))")
        tree["exploration_share"] = .word(generator.pick(["0.0", "0.2", "1.0"]))
        tree["audit_share"] = .word(generator.pick(["0.0", "0.3", "0.9"]))
        tree["audit_cutoff"] = .word(generator.pick(["0.0", "0.3", "0.5", "1.0"]))
        tree["votes_per_window"] = .word(generator.pick(["0", "40", "400", "1000000000"]))
        tree["window_ms"] = .word(generator.pick(["8000", "86400000"]))
        tree["oversample"] = .word(generator.pick(["1.0", "100000.0"]))
        tree["patience_ms"] = .word("1000")
        tree["temperature"] = .word(generator.pick(["1.0", "1.0", "0.01", "100.0"]))
        if var batch = tree["batch"] {
            batch["rule"] = .text(generator.pick(Self.rules))
            batch["cold_start"] = .text(generator.pick(["none", "typical", "herding"]))
            for part in ["uncertainty", "value", "freshness", "novelty", "density"] where generator.chance(0.3) {
                batch["weights"]?[part] = .word(generator.pick(["0.0", "1.0", "16.0"]))
            }
            batch["memory"] = .word(generator.pick(["0", "10", "1000"]))
            tree["batch"] = batch
        }
        if generator.chance(0.25) {
            tree["time_per_window_ms"] = .word(generator.pick(["0", "60000", "28800000"]))
            tree["money_per_window_micros"] = .word(generator.pick(["0", "500000", "1000000000000000"]))
            tree["carry_windows"] = .word(generator.pick(["0", "2", "1000"]))
            tree["vote_cost"] = [
                "maximum_time_ms": .word(generator.pick(["0", "30000", "86400000"])),
                "vote_micros": .word(generator.pick(["0", "20000", "1000000000000"])),
                "second_micros": .word(generator.pick(["0", "4167", "1000000000000"])),
            ]
        }
        if generator.chance(0.25) {
            tree["stream"] = [
                "strategy": .text(generator.pick(Self.streams)),
                "share": .word(generator.pick(["0.05", "0.5", "1.0"])),
                "burst": .word("2"), "savings": .word("10"),
            ]
        }
        if generator.chance(0.2) {
            tree["slices"] = [
                "key": "source", "share": .word("0.5"), "shares": ["s1": .word("0.25")], "new_share": .word("0.1"),
                "new_for_ms": .word("60000"),
            ]
        }
        if generator.chance(0.3) {
            tree["triggers"] = [
                [
                    "name": "unsure", "per_hour": .word("100"),
                    "when": ["any": [["confidence": ["below": .word("0.6")]], ["margin": ["below": .word("0.2")]]]],
                ],
                [
                    "name": "disputed", "per_hour": .word("50"),
                    "when": ["all": [["disagreement": .word("true")], ["sample": .word("0.5")]]],
                ],
                ["name": "overridden", "per_hour": .word("1000000"), "when": ["overridden": .word("true")]],
            ]
            tree["trigger_share"] = .word("0.35")
        }
        return tree
    }
}
