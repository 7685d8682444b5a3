import Foundation
import HTTPClient
import HTTPServer
import Processes
import Synchronization
import Testing

/// A server that runs on a thread of its own and returns the request that it received.
private final class Echo: Sendable {
    let port: UInt16
    private let ended = DispatchSemaphore(value: 0)

    init() throws {
        let started = DispatchSemaphore(value: 0)
        let found = Mutex<UInt16>(0)
        let stopped = StopSignal()
        stop = stopped
        Thread.detachNewThread { [ended] in
            defer { ended.signal() }
            guard
                let server = try? HTTPServer(handler: { request in
                    if request.path == "/large" {
                        return HTTPResponse(contentType: "x/y", body: [UInt8](repeating: 7, count: 100_000))
                    }
                    if request.path == "/moved" {
                        return HTTPResponse(
                            status: 302,
                            contentType: "x/y",
                            headers: [("Location", "/other")],
                            body: []
                        )
                    }
                    let headers = request.headers.map { "\($0.name): \($0.value)" }.sorted().joined(separator: "\n")
                    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
                    let text = "\(request.method.rawValue) \(request.path)?\(query)\n\(headers)\n\n"
                    return HTTPResponse(
                        contentType: "text/plain",
                        headers: [("X-Answer", " a b ")],
                        body: Array(text.utf8) + request.body
                    )
                })
            else {
                started.signal()
                return
            }
            found.withLock { $0 = server.port }
            started.signal()
            try? server.run { stopped.isRaised }
        }
        started.wait()
        port = found.withLock { $0 }
        try #require(port > 0)
    }

    private let stop: StopSignal

    deinit {
        stop.raise()
        ended.wait()
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
}

private final class StopSignal: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}

@Suite struct HTTPClientTests {
    @Test("A request and its response are transferred unchanged")
    func roundTrip() throws {
        let server = try Echo()
        let client = HTTPClient()
        let body = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
        let call = HTTPCall(
            .post,
            server.url("/a%20b?x=1%2F2"),
            headers: [("x-name", "value"), ("content-type", "x/z")]
        )
        for _ in 0..<3 {
            let answer = try body.withUnsafeBytes { try client.send(call, body: $0) }
            #expect(answer.status == 200)
            #expect(answer.header("x-answer") == "a b")
            #expect(Array(answer.body.suffix(body.count)) == body)
            let text = String(decoding: answer.body.dropLast(body.count), as: UTF8.self)
            #expect(text.hasPrefix("POST /a b?x=1/2\n"))
            #expect(text.contains("x-name: value") && text.contains("content-type: x/z"))
            #expect(text.contains("content-length: 70000") && !text.contains("expect:"))
        }
    }

    @Test("HEAD yields no body, an empty POST has no content type, and redirects are not followed")
    func methods() throws {
        let server = try Echo()
        let client = HTTPClient()
        let head = try client.send(HTTPCall(.head, server.url("/x")))
        #expect(head.status == 200 && head.body.isEmpty && head.header("content-length") != nil)
        let post = try client.send(HTTPCall(.post, server.url("/x")))
        #expect(!String(decoding: post.body, as: UTF8.self).contains("content-type"))
        let moved = try client.send(HTTPCall(.get, server.url("/moved")))
        #expect(moved.status == 302 && moved.header("location") == "/other")
    }

    @Test("A response larger than allowed is an error, and the client continues")
    func tooLarge() throws {
        let server = try Echo()
        let client = HTTPClient()
        let error = #expect(throws: HTTPClientError.self) {
            try client.send(HTTPCall(.get, server.url("/large")), maximumSize: 99_999)
        }
        #expect(error?.kind == .tooLarge)
        #expect(try client.send(HTTPCall(.get, server.url("/large")), maximumSize: 100_000).body.count == 100_000)
    }

    @Test("Unreachable hosts are distinguished from invalid schemes, URLs and headers")
    func errors() throws {
        let client = HTTPClient(limits: .init(connectTimeout: 500, idleTimeout: 1_000))
        func kind(_ call: HTTPCall) -> HTTPClientError.Kind? {
            #expect(throws: HTTPClientError.self) { try client.send(call) }?.kind
        }
        #expect(kind(HTTPCall(.get, "http://127.0.0.1:1/")) == .unreachable)
        #expect(kind(HTTPCall(.get, "http://name.invalid/")) == .unreachable)
        #expect(kind(HTTPCall(.get, "file:///etc/passwd")) == .invalid)
        #expect(kind(HTTPCall(.get, "http://127.0.0.1:1/", headers: [("x", "a\r\ny: b")])) == .invalid)
        #expect(kind(HTTPCall(.get, "http://127.0.0.1:1/a\nb")) == .invalid)
    }

    @Test("A certificate without a trusted issuer is not trusted")
    func certificates() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["-keyout", "k.pem", "-out", "c.pem"]
        let made = try ChildProcess.run(
            "openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"] + files,
            directory: folder.path
        )
        try #require(made.status.isSuccess, "\(made.errorText)")
        let port = try freePort()
        let server = try ChildProcess(
            "openssl",
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", "c.pem", "-key", "k.pem", "-www", "-quiet"],
            directory: folder.path,
            output: .null,
            errors: .null
        )
        defer { server.stop() }
        let client = HTTPClient()
        var kind: HTTPClientError.Kind?
        for _ in 0..<100 {
            do throws(HTTPClientError) {
                kind = nil
                _ = try client.send(HTTPCall(.get, "https://127.0.0.1:\(port)/"))
            } catch {
                kind = error.kind
            }
            guard kind == .unreachable else { break }
            usleep(50_000)
        }
        #expect(kind == .untrusted)
    }

    @Test("Many threads can share a client")
    func threads() throws {
        let server = try Echo()
        let client = HTTPClient()
        let correct = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 40) { number in
            let answer = try? client.send(HTTPCall(.get, server.url("/\(number)")))
            if answer.map({ String(decoding: $0.body, as: UTF8.self).hasPrefix("GET /\(number)?") }) == true {
                correct.add(1, ordering: .relaxed)
            }
        }
        #expect(correct.load(ordering: .relaxed) == 40)
    }
}
