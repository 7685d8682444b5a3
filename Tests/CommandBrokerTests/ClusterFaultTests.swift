import Foundation
import KafkaClient
import KafkaTesting
import Processes
import Testing

@Suite(
    "A worker on a misconfigured cluster",
    .serialized,
    .enabled(if: Bench.isAvailable, "no broker or no program, see above")
)
struct ClusterFaultTests {
    private func ready(_ port: UInt16) throws -> String {
        try ChildProcess.run("curl", ["-s", "http://127.0.0.1:\(port)/health/ready"]).outputText
    }

    private func startIntake(_ bench: Bench, _ port: UInt16) throws -> ChildProcess {
        try bench.start("worker", "run", "--roles", "intake,console", "--port", "\(port)", "--instance", "w")
    }

    @Test("Without its topics a role names the missing ones, creates none by accident, and starts once they exist")
    func missingTopics() throws {
        let bench = try Bench()
        let port = try freePort()
        let worker = try startIntake(bench, port)
        let isReported = try bench.wait { try ready(port).contains("\(bench.prefix)journal is missing") }
        #expect(isReported, "\(bench.text("worker.err").suffix(1_000))")
        let admin = try KafkaAdmin(properties: bench.broker.properties)
        defer { admin.close() }
        #expect(try admin.listTopics().filter { $0.hasPrefix(bench.prefix) }.isEmpty)
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        #expect(
            try bench.wait { try ready(port).contains(#""status":"ready""#) },
            "\(bench.text("worker.err").suffix(1_000))"
        )
        #expect(worker.stop(grace: .seconds(20)) == .exited(0))
    }
}
