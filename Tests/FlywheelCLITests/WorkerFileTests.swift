import Configuration
import EngineCore
import Foundation
import KafkaClient
import Processes
import S3
import Testing
import Worker

@testable import FlywheelCLI

@Suite("A worker's file")
struct WorkerFileTests {
    private func keys(_ text: String = "") throws -> WorkerKeys {
        WorkerKeys(try ConfigurationReader(yaml: Array(text.utf8), file: "worker.yaml"))
    }

    /// Reads a text and returns a dump of the configuration, or the faults.
    private func read(_ text: String, for use: WorkerFile.Use = .worker) throws -> String {
        let keys = try keys(text)
        let worker = WorkerFile.configuration(keys, for: use)
        do { try keys.reader.finish() } catch { return "\(error)" }
        var dumped = ""
        dump(worker, to: &dumped)
        return dumped
    }

    private static func yaml(_ key: String, _ value: String) -> String {
        let parts = key.split(separator: ".", maxSplits: 1)
        return parts.count == 2 ? "\(parts[0]):\n  \(parts[1]): \(value)\n" : "\(key): \(value)\n"
    }

    @Test("The known keys are those of the reference, each once")
    func known() throws {
        let keys = try keys()
        _ = WorkerFile.configuration(keys, for: .worker)
        let rows = keys.rows.map(\.key)
        #expect(Set(rows).count == rows.count && rows.count >= 24)
        let sections = Set(rows.compactMap { $0.contains(".") ? String($0.prefix { $0 != "." }) : nil })
        #expect(keys.reader.knownKeys == Set(rows).union(sections))
    }

    @Test("docs/reference/worker.md is the output of make reference")
    func page() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let committed = try String(contentsOf: root.appending(path: "docs/reference/worker.md"), encoding: .utf8)
        #expect(committed == (try WorkerFile.reference()), "run make reference")
    }

    @Test("A default value of the reference, written into the file, changes nothing")
    func defaults() throws {
        let usual = try read("")
        let keys = try keys()
        _ = WorkerFile.configuration(keys, for: .worker)
        var count = 0
        for row in keys.rows where row.defaultValue.hasPrefix("`") && row.defaultValue.hasSuffix("`") {
            let value = String(row.defaultValue.dropFirst().dropLast())
            #expect(try read(Self.yaml(row.key, value)) == usual, "\(row.key): \(value)")
            count += 1
        }
        #expect(count >= 17)
    }

    @Test("An unknown key is reported with all known keys of its section")
    func unknown() throws {
        let console = try read("console:\n  prot: 1\n")
        #expect(console.contains("unknown key; known here: health_port, host, port"), "\(console)")
        #expect(try read("artifacts:\n  root: x\n").contains("unknown key; known here: path, roots, url"))
        for section in ["topics", "store", "state", "tokens", "delivery", "intake", "dead_letters", "commit"] {
            #expect(
                try read("\(section):\n  x: 1\n").contains("worker.yaml:2: key \(section).x: unknown key; known here: ")
            )
        }
    }

    @Test("A folder of artifacts must be absolute and exist, and a fault names the folder")
    func roots() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roots-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "x".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
        func roots(_ paths: String) -> String { "artifacts:\n  roots: [\(paths)]\n" }
        #expect(try !read(roots(folder)).contains("key artifacts.roots"))
        #expect(try !read(roots("")).contains("key artifacts.roots"))
        let relative = try read(roots("models, \(folder)"))
        #expect(
            relative.contains("worker.yaml:2: key artifacts.roots: expected absolute paths, found \"models\""),
            "\(relative)"
        )
        #expect(try read(roots("\"\"")).contains("expected absolute paths, found \"\""))
        let missing = try read(roots("\(folder), \(folder)/none"))
        #expect(missing.contains("key artifacts.roots: there is no folder \(folder)/none"), "\(missing)")
        #expect(try read(roots("\(folder)/file")).contains("found the file \(folder)/file"))
        // A command that inspects a store runs no worker, so the folders are not checked.
        #expect(try !read(roots("models"), for: .offline).contains("key artifacts.roots"))
    }

    @Test("A bucket's URL and connection are read, faults are refused, and no secret is shown")
    func buckets() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path
        try "hush-hush\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let right = """
            store:
              url: s3://models/digits
            s3:
              endpoint: http://127.0.0.1:8333
              region: eu-west-1
              style: path
              access_key: file:\(file)
              secret_key: file:\(file)
            """
        let read = try read(right)
        #expect(read.contains("s3://models/digits") && !read.contains("worker.yaml:"), "\(read)")
        #expect(!read.contains("hush"))
        #expect(
            try self.read("store:\n  url: s3://models\n  path: /x\n").contains("expected this key or path, found both")
        )
        for wrong in ["models", "s3://m", "s3://models/../x", "gs://models/x", "s3://k:v@models/x"] {
            let fault = try self.read("store:\n  url: \(wrong)\n")
            #expect(fault.contains("worker.yaml:2: key store.url: expected"), "\(fault)")
            #expect(!fault.contains("k:v"))
        }
        // Only a worker or command that reads or writes a bucket needs its secrets.
        let keys = "s3:\n  access_key: ${FLYWHEEL_NO_KEY}\n  secret_key: ${FLYWHEEL_NO_SECRET}\n"
        let bucket = "store:\n  url: s3://models/x\n" + keys
        #expect(try self.read(bucket).contains("FLYWHEEL_NO_KEY"))
        #expect(try self.read(bucket, for: .store).contains("FLYWHEEL_NO_SECRET"))
        for use in [WorkerFile.Use.offline, .connection] {
            #expect(try !self.read(bucket, for: use).contains("FLYWHEEL_NO"), "\(use)")
        }
        #expect(try !self.read(keys).contains("FLYWHEEL_NO"))
    }

    @Test("A bucket that a role cannot reach is refused, and one that no role uses is not checked")
    func bucketAccess() throws {
        var worker = WorkerConfiguration(kafka: ["bootstrap.servers": "x:1"], roles: [.materializer])
        worker.storePath = "s3://models/x"
        #expect(WorkerCheck.faults(of: worker).contains { $0.hasPrefix("store: there are no credentials") })
        worker.roles = [.loop]
        #expect(WorkerCheck.faults(of: worker).isEmpty)
        worker.roles = [.materializer]
        worker.s3.replaceCredentials(accessKey: "a", secretKey: "hush", sessionToken: nil)
        #expect(WorkerCheck.faults(of: worker).isEmpty)
        worker.s3.endpoint = "here"
        #expect(WorkerCheck.faults(of: worker).contains { $0.hasPrefix("store: the endpoint is not valid") })
        worker.artifactsPath = "gs://x"
        #expect(WorkerCheck.faults(of: worker).contains { $0.hasPrefix("artifacts: expected a folder or s3://") })
    }

    @Test("A command needs only the secrets that it uses")
    func secrets() throws {
        let text = """
            kafka:
              bootstrap.servers: x:1
              sasl.password: ${FLYWHEEL_NOT_THERE}
            salt: ${FLYWHEEL_NO_SALT}
            tokens:
              secret: [file:/not/there, "${FLYWHEEL_NO_SECRET}"]
            """
        let all = try read(text)
        for name in ["FLYWHEEL_NOT_THERE", "FLYWHEEL_NO_SALT", "/not/there", "FLYWHEEL_NO_SECRET"] {
            #expect(all.contains(name), "\(name) not in \(all)")
        }
        let connection = try read(text, for: .connection)
        #expect(connection.contains("key kafka.sasl.password") && !connection.contains("SALT"), "\(connection)")
        #expect(try !read(text, for: .offline).contains("worker.yaml:"))
        // A literal secret in the file is refused in any case.
        #expect(try read("salt: pepper\n", for: .offline).contains("found the secret itself"))
    }

    @Test("dataset verify needs no secret of the file")
    func verify() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/worker.yaml"
        try "salt: ${FLYWHEEL_NO_SALT}\nstore:\n  path: \(folder)\n".write(
            toFile: file,
            atomically: true,
            encoding: .utf8
        )
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let beside = Bundle.main.bundleURL.appending(path: "flywheel").path
        let built = root.appending(path: ".build/debug/flywheel").path
        let program = FileManager.default.isExecutableFile(atPath: beside) ? beside : built
        let run = try ChildProcess.run(program, ["dataset", "verify", "--project", "shapes", "--config", file])
        #expect(run.errorText.contains("no version of it is in the store"), "\(run.errorText)")
    }
}
