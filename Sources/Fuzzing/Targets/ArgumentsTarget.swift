internal import Arguments
public import Statistics

/// Target for the parser of command lines, with a specification that has every kind of argument.
public final class ArgumentsTarget: FuzzTarget {
    public let name = "arguments"
    public let weight = 0.5
    private static let words =
        [
            "run", "list", "show", "--", "--help", "-h", "--number", "--number=", "--level", "--level=info", "--flag",
            "--flag=true", "--many", "--many=a", "--file", "-x", "-", "---", "--=", "--number=--number", "FILE", "rum",
            "--numbr",
        ] + Extremes.words.filter { $0.utf8.count < 100 && !$0.utf8.contains(0) }

    private static let root = CommandSpecification(
        "program",
        summary: "does things",
        options: [.flag("flag", help: "a flag")],
        subcommands: [
            CommandSpecification(
                "run",
                summary: "runs",
                options: [
                    .option("number", "N", help: "a number", defaultValue: "1"),
                    .option("level", "LEVEL", help: "one of some", isRequired: true, choices: ["info", "error"]),
                    .repeated("many", help: "several"),
                ],
                positionals: [
                    PositionalSpecification("FILE", help: "a file"),
                    PositionalSpecification("REST", help: "more", isRequired: false, isRepeated: true),
                ]
            ),
            CommandSpecification(
                "list",
                summary: "lists",
                subcommands: [CommandSpecification("show", summary: "shows")]
            ),
        ]
    )

    public init() {}

    public func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        var words = generator.chance(0.5) ? ["run", "--level", "info", "FILE"] : []
        for _ in 0..<generator.size(below: 12) {
            var word = generator.pick(Self.words)
            if generator.chance(0.1) { word = String(decoding: Extremes.text(&generator, limit: 300), as: UTF8.self) }
            if generator.chance(0.2) { word = "--number=\(word)" }
            words.insert(word, at: generator.next(below: words.count + 1))
        }
        recorder.step(["words": .array(words.map { .blob(Array($0.utf8)) })])
        try check(words, &outcomes)
    }

    public func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps {
            try check((step["words"]?.elements ?? []).map { String(decoding: $0.blob ?? [], as: UTF8.self) }, &outcomes)
        }
    }

    private func check(_ words: [String], _ outcomes: inout FuzzOutcomes) throws {
        do {
            switch try ArgumentParser(Self.root).parse(words) {
            case .help(let text):
                outcomes.add("arguments", "help")
                guard !text.isEmpty else { throw FuzzFault("an empty help") }
            case .run(let arguments):
                outcomes.add("arguments", "taken")
                guard arguments.path.last == "run" else { return }
                _ = try? arguments.int("number", in: 0...100)
                _ = try? arguments.double("number")
                _ = arguments.strings("many")
                guard
                    try arguments.requiredPositional("FILE").utf8.count + arguments.repeatedPositional("REST").count
                        >= 0,
                    ["info", "error"].contains(try arguments.requiredString("level"))
                else { throw FuzzFault("an argument that is not a choice was accepted") }
            }
        } catch let error as ArgumentsError {
            outcomes.add("arguments", "refused")
            guard error.description.contains("see 'program") else { throw FuzzFault("no hint: \(error)") }
        }
    }
}
