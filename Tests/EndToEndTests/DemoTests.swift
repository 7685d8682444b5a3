import Demo
import Foundation
import Hashing
import KafkaClient
import KafkaTesting
import Processes
import Testing

/// The whole flywheel, as run by `make demo`: real processes, a real broker, real data.
@Suite(
    "The demo run as a program",
    .serialized,
    .enabled(if: Prerequisites.areMet, "there is no broker; the log says why")
)
struct WholeDemoTests {
    @Test(
        "The demo completes cycles, survives a worker's kill, replays equal, and publishes no held-out image",
        .timeLimit(.minutes(5))
    )
    func completesCycles() throws {
        let run = try DemoProcess(seconds: 60)
        let active = try #require(run.figures["active"] as? [String: Any])
        let random = try #require(run.figures["random"] as? [String: Any])
        for project in [active, random] {
            #expect(project["replay_equal"] as? Bool == true)
            #expect(project["dead_letters"] as? Int == 0)
            #expect((project["cycles"] as? Int ?? 0) >= 3, "\(project)")
            #expect((project["votes"] as? Int ?? .max) <= 430, "the budget")
            #expect((project["final_accuracy"] as? Double ?? 0) > 0.5, "\(project)")
        }
        #expect(run.figures["worker_kills"] as? Int == 1)

        let heldOut = Set(try DigitsScenario(seed: 1).heldOut.map { SHA256Digest(of: Array($0.text.utf8)) })
        let published = try run.imagesOnTopics()
        #expect(heldOut.count > 500)
        #expect(published.count > 500, "the search finds images where there are some")
        #expect(published.isDisjoint(with: heldOut))

        let page = try String(contentsOf: run.folder.appendingPathComponent("report.html"), encoding: .utf8)
        #expect(page.contains("<svg") && !page.contains("http-equiv=\"refresh\""))
    }

    @Test("With the annotators' truth permuted per sample, models learn nothing", .timeLimit(.minutes(5)))
    func permutedTruth() throws {
        let run = try DemoProcess(seconds: 40, options: ["--permute-truth"])
        for name in ["active", "random"] {
            let project = try #require(run.figures[name] as? [String: Any])
            #expect((project["cycles"] as? Int ?? 0) >= 2, "\(project)")
            #expect((project["final_accuracy"] as? Double ?? 1) <= 0.2, "\(project)")
            #expect(project["replay_equal"] as? Bool == true)
        }
    }
}

/// A finished run of `flywheel demo`.
final class DemoProcess {
    let folder: URL
    let figures: [String: Any]
    private let broker: BrokerProcess
    private let topics: [String]

    init(seconds: Int, options: [String] = []) throws {
        broker = try BrokerProcess.shared.get()
        let name = "demo-\(UUID().uuidString.prefix(8).lowercased())"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        let admin = try KafkaAdmin(properties: broker.properties)
        defer { admin.close() }
        let before = Set(try admin.listTopics())
        let run = try ChildProcess.run(
            Prerequisites.flywheel,
            [
                "demo", "--quick", "--json", "--seed", "1", "--duration", "\(seconds)", "--out", folder.path,
                "--bootstrap",
                broker.bootstrap, "--broker-kind", broker.kind,
            ] + options,
            timeout: .seconds(seconds + 120)
        )
        #expect(run.status == .exited(0), "\(run.errorText.suffix(3_000))")
        let json = try JSONSerialization.jsonObject(with: Data(run.output)) as? [String: Any]
        figures = try #require((json?["runs"] as? [[String: Any]])?.first)
        topics = try admin.listTopics().filter { !before.contains($0) && $0.hasPrefix("flywheel-demo-") }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The digests of the images in every record of every topic of the run.
    func imagesOnTopics() throws -> Set<SHA256Digest> {
        var properties = broker.properties
        properties["receive.message.max.bytes"] = "1000000000"
        let reader = try KafkaReader(properties: properties, topics: topics)
        defer { reader.close() }
        var left: Set<KafkaTopicPartition> = []
        var positions: [KafkaTopicPartition: Int64] = [:]
        for topic in topics {
            for partition in try reader.partitions(of: topic) {
                let topicPartition = KafkaTopicPartition(topic, partition)
                positions[topicPartition] = 0
                left.insert(topicPartition)
            }
        }
        try reader.start(positions)
        var images: Set<SHA256Digest> = []
        let end = ContinuousClock.now + .seconds(60)
        while !left.isEmpty, ContinuousClock.now < end {
            switch try reader.poll(maximum: 5_000, timeoutMilliseconds: 200) {
            case .idle: break
            case .endOfPartition(let topicPartition, _): left.remove(topicPartition)
            case .records: for record in reader.records { Self.collect(record.value, &images) }
            }
        }
        #expect(left.isEmpty, "not read to its end: \(left)")
        return images
    }

    /// Collects the images in a record. Images are JSON lists of 64 pixels, found at any position in the text, whether
    /// escaped or not.
    private static func collect(_ value: UnsafeRawBufferPointer, _ images: inout Set<SHA256Digest>) {
        var start: Int?
        for (index, byte) in value.enumerated() {
            switch byte {
            case UInt8(ascii: "["): start = index
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ","): break
            case UInt8(ascii: "]"):
                if let start {
                    let text = value[start...index]
                    let commas = text.count(where: { $0 == UInt8(ascii: ",") })
                    if commas == 63 { images.insert(SHA256Digest(of: Array(text))) }
                }
                start = nil
            default: start = nil
            }
        }
    }
}

/// Prerequisites of the demo outside this repository.
enum Prerequisites {
    static let flywheel: String = {
        let beside = Bundle.main.bundleURL.appendingPathComponent("flywheel").path
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return FileManager.default.isExecutableFile(atPath: beside)
            ? beside : root.appendingPathComponent(".build/debug/flywheel").path
    }()

    static let areMet: Bool = {
        guard case .failure(let error) = BrokerProcess.shared else { return true }
        print("end-to-end tests skipped: there is no broker: \(error)")
        return false
    }()
}
