import Arguments
import Foundation
import Testing

@testable import FlywheelBench

@Suite("The benchmark of rollbacks")
struct RollbackBenchmarkTests {
    private func result(_ options: String) throws -> [String: Any] {
        let line = ["rollback", "--json"] + options.split(separator: " ").map(String.init)
        guard case .run(let arguments) = try ArgumentParser(FlywheelBench.root).parse(line) else {
            throw BenchmarkError("help was asked for")
        }
        let text = try RollbackBenchmark(arguments).result().json
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("A broken champion is rolled back soon in every life")
    func broken() throws {
        let found = try result("--lives 10 --voices 2000 --then 0.9@1000")
        #expect(found["lives"] as? Int == 10 && found["rolled_back"] as? Int == 10)
        #expect(found["rolled_back_before_change"] as? Int == 0)
        let delay = try #require(found["delay"] as? [String: Int])
        #expect((5...25).contains(try #require(delay["p50"])))
        #expect(try #require(delay["p90"]) >= delay["p50"] ?? 0)
    }

    @Test("An unchanged champion stays, and labels clear a champion that five users of a quiet project reject")
    func unchanged() throws {
        let boundary = try result("--lives 3 --voices 2000 --rate 0.2 --tolerated 0.2")
        #expect(boundary["rolled_back"] as? Int == 0 && boundary["voices"] as? Int == 6_000)
        #expect((boundary["delay"] as? [String: Int])?.isEmpty == true)
        let raided = try result("--lives 3 --raiders 5 --honest-per-hour 0 --days 10")
        #expect(raided["rolled_back"] as? Int == 0)
        #expect(raided["suspected"] as? Int == 3 && raided["cleared_by_labels"] as? Int == 3)
        let many = try result("--lives 3 --raiders 20 --honest-per-hour 0 --days 10")
        #expect(many["rolled_back"] as? Int == 3)
    }

    @Test("The same seed gives the same result, and another seed another result")
    func seeds() throws {
        func voices(_ seed: Int) throws -> Int? {
            try result("--lives 2 --voices 3000 --then 0.4@1000 --seed \(seed)")["voices"] as? Int
        }
        #expect(try voices(4) == voices(4))
        #expect(try voices(4) != voices(40))
    }

    @Test(
        "Options out of range are refused",
        arguments: ["--then 0.9", "--then 2@5", "--then 0.5@-1", "--rate 1.5", "--lives 0"]
    )
    func refused(option: String) throws {
        #expect(throws: ArgumentsError.self) { try result(option) }
    }
}
