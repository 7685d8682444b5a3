import Foundation
import KafkaClient
import Processes
import Testing

@Suite(
    "A worker whose disk is full",
    .serialized,
    .enabled(if: Bench.isAvailable, "no broker or no program, see above")
)
struct FullDiskTests {
    /// Response of the worker's console at a path.
    private func get(_ port: UInt16, _ path: String) throws -> String {
        try ChildProcess.run("curl", ["-s", "http://127.0.0.1:\(port)\(path)"]).outputText
    }

    @Test("A full disk is reported in health and metrics, loses nothing, and work resumes when space is free")
    func materializer() throws {
        guard let disk = SmallDisk() else {
            print("skipped: a worker on a full file system (this process may not mount a tmpfs)")
            return
        }
        let bench = try Bench()
        let port = try freePort()
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        disk.setFull(true)
        _ = try bench.start(
            "worker",
            "run",
            "--roles",
            "materializer,console",
            "--store",
            "\(disk.path)/datasets",
            "--port",
            "\(port)",
            "--instance",
            "m"
        )
        let label = { (sequence: Int) in
            #"{"kind":"label_accepted","project":"digits","sequence":\#(sequence),"sample":{"id":"img-\#(sequence)","content":{"kind":"uri","uri":"https://images.example/7.png"}},"label":{"kind":"choice","class":"7","index":7},"split":"training","confidence":0.96875,"task":"digits-412-\#(sequence)","purpose":"acquisition","votes":[{"annotator":"a1","index":7}],"predicted_at_ms":1767225600250}"#
        }
        let cut =
            #"{"kind":"version_cut","project":"digits","sequence":3,"ordinal":1,"counts":{"training":2,"validation":0,"test":0},"classes":["0","1","2","3","4","5","6","7","8","9"]}"#
        try bench.write(3, to: "dataset-log") { number in
            let value = number == 2 ? cut : label(number + 1)
            return KafkaOutputRecord(
                topic: "\(bench.prefix)dataset-log",
                partition: 0,
                key: [1],
                value: Array(value.utf8)
            )
        }
        let isDegraded = try bench.wait {
            let health = try get(port, "/health/ready")
            return health.contains("degraded") && health.contains("No space left on device")
        }
        #expect(isDegraded, "\(bench.text("worker.err").suffix(2_000))")
        #expect(try get(port, "/health/live").contains(#""status":"live""#))
        #expect(try get(port, "/metrics").contains(#"flywheel_storage_held_up{role="materializer"} 1"#))
        #expect(try bench.headers("dataset-versions").isEmpty)
        disk.setFull(false)
        let isReady = try bench.wait { try get(port, "/health/ready").contains(#""status":"ready""#) }
        #expect(isReady, "\(bench.text("worker.err").suffix(2_000))")
        #expect(try bench.wait { try bench.headers("dataset-versions").count == 1 })
        let verified = try bench.flywheel(
            "dataset",
            "verify",
            "--project",
            "digits",
            "--store",
            "\(disk.path)/datasets"
        )
        #expect(verified.status.isSuccess, "\(verified.outputText) \(verified.errorText)")
        #expect(try get(port, "/metrics").contains(#"flywheel_storage_held_up{role="materializer"} 0"#))
        #expect(bench.text("worker.err").contains("the store refuses writes; reading is paused"))
    }
}
