import Arguments
import Testing

private enum Role: String, CaseIterable { case intake, loop }

private let specification = CommandSpecification(
    "flywheel",
    summary: "runs the engine",
    options: [.flag("json", help: "print JSON")],
    subcommands: [
        CommandSpecification(
            "run",
            summary: "runs a worker",
            options: [
                .option("config", "FILE", help: "the worker's file", isRequired: true),
                .option("port", "PORT", help: "where to listen", defaultValue: "8080"),
                .option("rate", help: "how fast"),
                .option("role", help: "what to do", choices: ["intake", "loop", "other"]),
                .repeated("project", "FILE", help: "a project to apply first"),
            ]
        ),
        CommandSpecification(
            "topics",
            summary: "topics",
            subcommands: [
                CommandSpecification(
                    "create",
                    summary: "creates topics",
                    positionals: [
                        .init("PREFIX", help: "first"),
                        .init("NAMES", help: "the rest", isRequired: false, isRepeated: true),
                    ]
                )
            ]
        ),
    ]
)

private func parse(_ words: [String]) throws -> ParsedArguments {
    guard case .run(let arguments) = try ArgumentParser(specification).parse(words) else {
        throw ArgumentsError("help was asked for", command: "")
    }
    return arguments
}

private func failure(_ words: [String]) -> String {
    do {
        _ = try parse(words)
        return "no error"
    } catch {
        return "\(error)".split(separator: "\n").first.map(String.init) ?? ""
    }
}

@Suite struct ArgumentParserTests {
    @Test("--version alone prints the build; after a command it is an error")
    func version() throws {
        let parser = ArgumentParser(specification, version: "flywheel 1.2.3")
        guard case .help("flywheel 1.2.3") = try parser.parse(["--version"]) else {
            Issue.record("no version")
            return
        }
        #expect(throws: ArgumentsError.self) { try parser.parse(["run", "--version"]) }
        #expect(failure(["--version"]) == "unknown option '--version'")
    }

    @Test("Options are read in both spellings, at any position")
    func options() throws {
        let arguments = try parse([
            "--json", "run", "--config", "a.yaml", "--project=b", "--port=-1", "--project", "c=d",
        ])
        #expect(arguments.path == ["flywheel", "run"])
        #expect(arguments.flag("json"))
        #expect(arguments.string("config") == "a.yaml")
        #expect(arguments.strings("project") == ["b", "c=d"])
        #expect(try arguments.int("port") == -1)
        #expect(arguments.string("rate") == nil)
        #expect(try parse(["run", "--config=", "--json"]).string("config") == "")
    }

    @Test("Values are read by type, with defaults, ranges and choices")
    func types() throws {
        let arguments = try parse(["run", "--config", "x", "--rate", "-0.5", "--role", "loop"])
        #expect(try arguments.int("port", in: 1...65_535) == 8_080)
        #expect(try arguments.double("rate") == -0.5)
        #expect(try arguments.choice("role", of: Role.self) == .loop)
        #expect(try arguments.requiredString("config") == "x")
        #expect(throws: ArgumentsError.self) {
            try arguments.requiredString("rate").isEmpty || arguments.int("rate") == nil
        }
        #expect(throws: ArgumentsError.self) { try arguments.double("rate", in: 0...1) }
        let other = try parse(["run", "--config", "x", "--role", "other"])
        #expect(throws: ArgumentsError.self) { try other.choice("role", of: Role.self) }
    }

    @Test("Positional arguments are read by name, and no argument after -- is an option")
    func positionals() throws {
        let arguments = try parse(["topics", "create", "a", "--", "--json", "-x"])
        #expect(arguments.positional("PREFIX") == "a")
        #expect(arguments.repeatedPositional("NAMES") == ["--json", "-x"])
        #expect(!arguments.flag("json"))
        #expect(try parse(["topics", "create", "-"]).positional("PREFIX") == "-")
        #expect(try parse(["topics", "create", "a"]).repeatedPositional("NAMES").isEmpty)
    }

    @Test(
        "Errors state the fault and suggest a similar name",
        arguments: [
            (["run", "--confg", "x"], "unknown option '--confg'; did you mean '--config'?"),
            (["run", "--zebra"], "unknown option '--zebra'"),
            (["run", "-x"], "unknown option '-x'"),
            (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
            ([], "expected a command: run, topics"),
            (["topics"], "expected a command: create"),
            (["run"], "missing option --config FILE"),
            (["run", "--config"], "option --config needs a value: FILE"),
            (["run", "--config", "--json"], "option --config needs a value: FILE"),
            (["run", "--config", "x", "--config", "y"], "option --config stands twice"),
            (["run", "--config", "x", "--json=1"], "option --json takes no value"),
            (["run", "--config", "x", "stray"], "unexpected argument 'stray'"),
            (["topics", "create"], "missing argument PREFIX"),
            (
                ["run", "--config", "x", "--role", "chief"],
                "option --role: expected one of intake, loop, other, found 'chief'"
            ),
        ]
    )
    func errors(words: [String], message: String) {
        #expect(failure(words) == message)
    }

    @Test("An error refers to the help")
    func pointer() {
        let error = #expect(throws: ArgumentsError.self) { try ArgumentParser(specification).parse(["run"]) }
        #expect(error.map { "\($0)" } == "missing option --config FILE\nsee 'flywheel run --help'")
    }

    @Test("Help prints usage, options and defaults of the requested command")
    func help() throws {
        guard case .help(let text) = try ArgumentParser(specification).parse(["run", "--help"]) else {
            Issue.record("no help")
            return
        }
        #expect(
            text == """
                runs a worker

                usage: flywheel run --config FILE [options]

                options:
                  --json          print JSON
                  --config FILE   the worker's file (required)
                  --port PORT     where to listen (default: 8080)
                  --rate VALUE    how fast
                  --role VALUE    what to do (one of intake, loop, other)
                  --project FILE  a project to apply first (may repeat)
                  -h, --help      show this help

                """
        )
        guard case .help(let overview) = try ArgumentParser(specification).parse(["-h"]) else {
            Issue.record("no help")
            return
        }
        #expect(overview.contains("usage: flywheel [options] COMMAND\n"))
        #expect(overview.contains("  topics  topics\n"))
    }
}
