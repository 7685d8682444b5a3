import Acquisition
import Arguments
import Foundation
import Statistics
import Strategies
import Testing

@testable import FlywheelBench

@Suite struct StreamBenchmarkTests {
    /// Writes a file with two classes, which is removed after `body`.
    private func withStream<T>(rows: Int = 300, _ body: (String) throws -> T) throws -> T {
        var generator = SplitMix64(seed: 1)
        var text = "x,y,kind\n"
        for _ in 0..<rows {
            let label = generator.next(below: 2)
            text +=
                "\(Double(label) * 2 + generator.nextNormal()),\(generator.nextNormal()),\(label == 0 ? "up" : "down")\n"
        }
        let path = NSTemporaryDirectory() + "stream-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private func benchmark(_ path: String, _ options: [String]) throws -> StreamBenchmark {
        let line = ["stream", "--data", path, "--label", "kind"] + options
        guard case .run(let arguments) = try ArgumentParser(FlywheelBench.root).parse(line) else {
            throw BenchmarkError("help was asked for")
        }
        return try StreamBenchmark(arguments)
    }

    @Test("A JSON object reports accuracy and queried share for every strategy, budget and delay")
    func json() throws {
        let text = try withStream { path in
            try benchmark(path, ["--budget", "0.05,0.2", "--delay", "0,30", "--seeds", "2"]).report(asJSON: true)
        }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["strategy"] as? String == StreamPolicy().strategy.rawValue)
        #expect(object["events"] as? Int == 300)
        let strategies = try #require(object["strategies"] as? [String: [[String: Any]]])
        #expect(Set(strategies.keys) == Set(StreamStrategy.allCases.map(\.rawValue)))
        for (name, cells) in strategies {
            #expect(cells.count == 4)
            for cell in cells {
                let budget = try #require(cell["budget"] as? Double)
                let share = try #require(cell["share"] as? [String: Double])
                let accuracy = try #require(cell["accuracy"] as? [String: Double])
                #expect(try #require(share["max"]) <= budget, "\(name)")
                #expect(cell["overspent"] as? Double == 0, "\(name)")
                #expect((0.4...1).contains(try #require(accuracy["mean"])), "\(name)")
            }
        }
    }

    @Test("A single strategy is reported beside random, even with fewer rows than free labels")
    func singleStrategy() throws {
        let text = try withStream(rows: 12) { path in
            try benchmark(path, ["--strategy", "split", "--seeds", "1", "--learner", "bayes"]).report(asJSON: false)
        }
        #expect(text.contains("split  budget") && text.contains("random  budget") && !text.contains("quantile"))
    }

    @Test(
        "The refusal of an invalid option names the option",
        arguments: [
            ["--budget", "1.5"], ["--budget", "-0.1"], ["--budget", "much"], ["--budget", ","], ["--delay", "-1"],
            ["--delay", "soon"], ["--strategy", "oracle"], ["--seeds", "0"], ["--learner", "tree"],
        ]
    )
    func refused(options: [String]) throws {
        let error = try withStream { path in
            #expect(throws: (any Error).self) { try benchmark(path, options) }
        }
        #expect("\(try #require(error))".contains(options[0].dropFirst(2)))
    }
}
