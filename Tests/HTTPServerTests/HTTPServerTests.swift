import Foundation
import HTTPServer
import Processes
import Testing

/// Runs curl and serves on this thread until curl has ended.
private func curl(_ server: HTTPServer, _ arguments: [String], path: String) throws -> (code: ProcessExit, text: String)
{
    let file = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let url = "http://127.0.0.1:\(server.port)\(path)"
    let options = ["-sS", "--max-time", "10", "--noproxy", "*", "-D", "-"]
    let child = try ChildProcess("curl", options + arguments + [url], output: .file(file), errors: .null)
    while child.exitStatus == nil { try server.runOnce(wait: .milliseconds(20)) }
    let text = try String(contentsOfFile: file, encoding: .utf8)
    return (child.exitStatus ?? .exited(255), text.replacingOccurrences(of: "\r\n", with: "\n"))
}

private func status(_ text: String) -> String {
    // Takes the last status line, because curl may show a "100 Continue" before it.
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("HTTP/1.1 ") }
    return String(lines.last?.split(separator: " ")[1] ?? "none")
}

private func makeServer(maximumBodySize: Int = 1_000) throws -> HTTPServer {
    try HTTPServer(maximumBodySize: maximumBodySize) { request in
        switch request.path {
        case "/echo":
            let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
            let kind = request.header("x-kind") ?? "none"
            return .text("\(request.method.rawValue) \(query) \(kind) \(String(decoding: request.body, as: UTF8.self))")
        case "/json": return .json(Array("{}".utf8), status: 201)
        case "/headers":
            let headers = [(name: "Cache-Control", value: "max-age=60"), (name: "X-Evil", value: "a\r\nX-Injected: 1")]
            return HTTPResponse(contentType: "text/html", headers: headers, body: [])
        default: return .text("no such page: \(request.path)\n", status: 404)
        }
    }
}

@Suite(.serialized) struct HTTPServerTests {
    @Test("A GET passes path, query and headers to the handler, and returns its response")
    func get() throws {
        let (code, text) = try curl(makeServer(), ["-H", "X-Kind: test"], path: "/echo?a=1%202&b&c=%C3%A9")
        #expect(code.isSuccess)
        #expect(status(text) == "200")
        #expect(text.hasSuffix("GET a=1 2|b=|c=é test "))
        #expect(text.contains("Content-Type: text/plain; charset=utf-8\n"))
    }

    @Test("A POST passes its body to the handler, whether with a declared length or in chunks")
    func post() throws {
        let server = try makeServer()
        #expect(try curl(server, ["--data-binary", "hello"], path: "/echo").text.hasSuffix("POST  none hello"))
        let chunked = ["-H", "Transfer-Encoding: chunked", "--data-binary", "hello"]
        #expect(try curl(server, chunked, path: "/echo").text.hasSuffix("POST  none hello"))
    }

    @Test("A body over the limit is answered with 413, and the server continues")
    func bodyLimit() throws {
        let server = try makeServer()
        let file = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let exact = String(repeating: "x", count: 1_000)
        try exact.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try curl(server, ["--data-binary", "@\(file)"], path: "/echo").text.hasSuffix(exact))
        try (exact + "x").write(toFile: file, atomically: true, encoding: .utf8)
        #expect(status(try curl(server, ["--data-binary", "@\(file)"], path: "/echo").text) == "413")
        let chunked = ["-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file)"]
        #expect(status(try curl(server, chunked, path: "/echo").text) == "413")
        #expect(status(try curl(server, [], path: "/echo").text) == "200")
    }

    @Test("HEAD is answered like GET, without the body")
    func head() throws {
        let (code, text) = try curl(makeServer(), ["--head"], path: "/json")
        #expect(code.isSuccess)
        #expect(status(text) == "201")
        #expect(text.contains("Content-Length: 2\n"))
        #expect(!text.contains("{}"))
    }

    @Test("Other methods get 405 and the allowed methods", arguments: ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
    func methods(method: String) throws {
        let text = try curl(makeServer(), ["-X", method], path: "/echo").text
        #expect(status(text) == "405")
        #expect(text.contains("Allow: GET, HEAD, POST\n"))
    }

    @Test("Every response has safe headers, which can be replaced, and no header can be injected")
    func headers() throws {
        let text = try curl(makeServer(), [], path: "/headers").text
        #expect(text.contains("X-Content-Type-Options: nosniff\n"))
        #expect(text.contains("X-Frame-Options: DENY\n"))
        #expect(text.contains("Cache-Control: max-age=60\n"))
        #expect(!text.contains("no-store"))
        #expect(!text.contains("Injected"))
    }

    @Test("A path is decoded, but dot segments are not resolved")
    func path() throws {
        let text = try curl(makeServer(), ["--path-as-is"], path: "/a%2F..%2Fb/../c").text
        #expect(text.hasSuffix("no such page: /a/../b/../c\n"))
    }

    @Test("An address in use or an invalid one is an error that names it")
    func addresses() throws {
        let server = try makeServer()
        #expect(server.port != 0)
        let error = #expect(throws: HTTPServerError.self) {
            try HTTPServer(address: "localhost") { _ in .text("") }
        }
        #expect(error.map { "\($0)" } == "could not listen on localhost:0: expected an IPv4 address in digits")
        #expect(throws: HTTPServerError.self) { try HTTPServer(address: "192.0.2.1") { _ in .text("") } }
        let taken = #expect(throws: HTTPServerError.self) { try HTTPServer(port: server.port) { _ in .text("") } }
        #expect(taken.map { "\($0)".contains("127.0.0.1:\(server.port): Address already in use") } == true)
    }

    @Test("A closed server with an unfinished request leaks no resources")
    func lifetime() throws {
        final class Marker {}
        weak var marker: Marker?
        do {
            let strong = Marker()
            marker = strong
            let server = try HTTPServer { _ in
                _ = strong
                return .text("")
            }
            let child = try ChildProcess(
                "curl",
                [
                    "-sS", "--max-time", "5", "-H", "Expect:", "-X", "POST", "-T", "-",
                    "http://127.0.0.1:\(server.port)/",
                ],
                input: .file("/dev/null"),
                output: .null,
                errors: .null
            )
            for _ in 0..<5 { try server.runOnce(wait: .milliseconds(20)) }
            child.stop(grace: .seconds(2))
        }
        #expect(marker == nil)
    }

    @Test("Running ends when the stop flag is raised")
    func stop() throws {
        var checks = 0
        try makeServer().run {
            checks += 1
            return checks > 2
        }
        #expect(checks == 3)
    }
}
