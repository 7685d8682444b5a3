import Foundation
import Fuzzing
import Statistics
import Testing

@testable import FlywheelFuzz

@Suite("Inputs of the fuzzer")
struct InputTests {
    @Test("A golden file read as a tree is written back unchanged")
    func trees() throws {
        let corpus = try TestFiles.corpus()
        #expect(corpus.all.count > 100)
        for event in ["prediction", "journal-entry", "project", "training-result"] {
            let folder = corpus.folder + "/\(event)/golden"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
                let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                #expect(JSONTree(reading: bytes).map { String(decoding: $0.bytes, as: UTF8.self) } == text, "\(name)")
            }
        }
    }

    @Test("Arbitrary bytes are restored from a recorded step")
    func blobs() {
        var generator = SplitMix64(seed: 3)
        for _ in 0..<500 {
            let bytes = Extremes.text(&generator, limit: 2_000)
            let line = JSONTree.blob(bytes).bytes
            #expect(!line.contains(UInt8(ascii: "\n")))
            #expect(JSONTree(reading: line)?.blob == bytes)
        }
        #expect(JSONTree.blob(nil).blob == nil)
        #expect(JSONTree.blob([]).blob == [])
    }

    @Test(
        "The same seed and iteration make the same input, and another iteration another input",
        arguments: ["topics", "letters", "codecs"]
    )
    func determinism(name: String) throws {
        try TestFiles.withFolder { folder in
            let target = try #require(try FlywheelFuzz.targets(TestFiles.corpus(), folder).first { $0.name == name })
            func input(_ iteration: UInt64) throws -> Data {
                let path = folder + "/input.jsonl"
                let recorder = try InputRecorder(path: path)
                recorder.begin(name, seed: 1, iteration: 0)
                var generator = SplitMix64(seed: 1, target: name, iteration: iteration)
                var outcomes = FuzzOutcomes()
                try target.run(&generator, recorder, &outcomes)
                return try Data(contentsOf: URL(fileURLWithPath: path))
            }
            let first = try input(2)
            #expect(try input(2) == first)
            #expect(try input(3) != first)
        }
    }

    @Test("Mutations of a golden file are often valid JSON, and differ from each other")
    func mutations() throws {
        let corpus = try TestFiles.corpus()
        let mutator = JSONMutator(corpus: corpus.all, longest: 1_000)
        var generator = SplitMix64(seed: 5)
        var (valid, seen) = (0, Set<[UInt8]>())
        for _ in 0..<400 {
            var tree = corpus["prediction"][0]
            mutator.mutate(&tree, &generator)
            let bytes = mutator.bytes(of: tree, &generator)
            if (try? JSONSerialization.jsonObject(with: Data(bytes))) != nil { valid += 1 }
            seen.insert(bytes)
        }
        #expect(valid > 150 && valid < 390, "\(valid) are valid")
        #expect(seen.count > 350, "\(seen.count) differ")
    }
}
