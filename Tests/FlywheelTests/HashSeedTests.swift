import Events
import Flywheel
import Foundation
import Hashing
import Testing
import Vocabulary

@Suite struct HashSeedTests {
    /// A digest of the written decisions of a scenario and of the rows of its final state.
    static func digest(seed: UInt64) -> String {
        var scenario = Scenario(seed: seed)
        scenario.run(entries: 900)
        var bytes: [UInt8] = []
        for (position, decisions) in scenario.decisions.enumerated() {
            for decision in decisions {
                let encoded = EncodedDecision(
                    decision,
                    project: ProjectID("pets"),
                    question: configuration().question,
                    time: scenario.journal[position].at,
                    entryNumber: UInt64(position + 1)
                )
                bytes += Array(encoded.id.utf8) + encoded.value
            }
        }
        for change in Dump.changes(of: scenario.state) { bytes += Array(change.key.utf8) + (change.value ?? []) }
        return SHA256Digest(of: bytes).hex
    }

    @Test("Another process, with another hash seed, makes the same decisions")
    func otherProcess() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            // Each process draws its own seed for dictionaries and sets.
            print("digest \(HashSeedTests.digest(seed: 3)) hash \("a".hashValue)")
        }
        let output = try #require(result).standardOutputContent
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.contains("digest \(Self.digest(seed: 3)) "), "\(text)")
        guard ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] == nil else { return }
        #expect(!text.contains("hash \("a".hashValue)\n"), "both processes hash alike: this proves nothing")
    }
}
