import Foundation
import KafkaClient
import KafkaTesting
import Processes
import Testing

@Suite("A worker without a broker", .serialized, .enabled(if: Bench.isAvailable, "no broker or no program, see above"))
struct BrokerDownTests {
    private func ready(_ port: UInt16) throws -> String {
        try ChildProcess.run("curl", ["-s", "http://127.0.0.1:\(port)/health/ready"]).outputText
    }

    /// Seconds of processor time that a process has used.
    private func processorTime(_ process: ChildProcess) throws -> Double {
        let line = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
        // The name in parentheses may contain spaces; user and system time are the 12th and 13th fields after it.
        let fields = line.suffix(from: line.lastIndex(of: ")") ?? line.startIndex).split(separator: " ")
        return Double((Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test("A worker without a broker, at the start or later, reports it, waits without spinning and resumes by itself")
    func down() throws {
        let broker: BrokerProcess
        do { broker = try BrokerProcess() } catch {
            print("skipped: a worker without a broker (\(error))")
            return
        }
        defer { broker.remove() }
        guard broker.directory != nil, !broker.isNoida else {
            print("skipped: a worker without a broker (\(broker.kind) is not ours to end, or loses what it holds)")
            return
        }
        let bench = try Bench(broker: broker)
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        try broker.stop()
        let port = try freePort()
        let worker = try bench.start(
            "worker",
            "run",
            "--roles",
            "intake,loop,materializer,trainer,console",
            "--store",
            bench.path("datasets"),
            "--artifacts",
            bench.path("artifacts"),
            "--port",
            "\(port)",
            "--instance",
            "w",
            "--state",
            bench.path("state")
        )
        let isDegraded = try bench.wait(.seconds(60)) {
            try ready(port).components(separatedBy: "degraded").count == 5
        }
        #expect(isDegraded, "\(bench.text("worker.err").suffix(1_000))")
        let before = try processorTime(worker)
        Thread.sleep(forTimeInterval: 5)
        let spent = try processorTime(worker) - before
        #expect(spent < 1.5, "\(spent) s of processor time in 5 s")
        print("a worker of four roles without a broker: \(spent) s of processor time in 5 s")

        try broker.restart()
        #expect(
            try bench.wait(.seconds(90)) { try ready(port).contains(#""status":"ready""#) },
            "\(bench.text("worker.err").suffix(1_000))"
        )
        try broker.stop()
        #expect(
            try bench.wait(.seconds(60)) { try ready(port).contains("degraded") },
            "it does not say that the broker went"
        )
        // Another role may have been the first to become degraded, for another reason.
        #expect(
            try bench.wait(.seconds(60)) {
                try ChildProcess.run("curl", ["-s", "http://127.0.0.1:\(port)/metrics"]).outputText.contains(
                    "flywheel_brokers_unreachable"
                )
            },
            "it does not count that no broker answers"
        )
        let again = try processorTime(worker)
        Thread.sleep(forTimeInterval: 5)
        #expect(try processorTime(worker) - again < 1.5)
        try broker.restart()
        #expect(
            try bench.wait(.seconds(90)) { try ready(port).contains(#""status":"ready""#) },
            "\(bench.text("worker.err").suffix(1_000))"
        )
        try bench.write(1, to: "predictions") { _ in
            KafkaOutputRecord(topic: "\(bench.prefix)predictions", partition: 0, value: [1])
        }
        #expect(try bench.wait { try !bench.headers("dead-letters").isEmpty })
        #expect(worker.stop(grace: .seconds(30)) == .exited(0))
    }
}
