import Arguments
import Testing

@Suite struct ArgumentsExamples {
    @Test("A command line is read according to its specification")
    func commandLine() throws {
        let limits = OptionSpecification.option("limit", "N", help: "Lines to show.", defaultValue: "10")
        let command = CommandSpecification("head", summary: "Show the first lines", options: [limits])
        var limit: Int?
        if case .run(let arguments) = try ArgumentParser(command).parse(["--limit", "20"]) {
            limit = try arguments.int("limit", in: 1...100)
        }
        #expect(limit == 20)
    }
}
