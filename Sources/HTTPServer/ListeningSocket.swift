import Glibc

/// A socket that listens, and is closed with this value.
struct ListeningSocket: ~Copyable {
    /// A connection that was accepted from the queue; the receiver closes it.
    struct Accepted {
        let descriptor: Int32
        let address: sockaddr_in

        /// The client's address as a number, for comparisons.
        var peer: UInt32 { address.sin_addr.s_addr }
    }

    /// Outcome of `accept`.
    enum Acceptance {
        case connection(Accepted)
        /// No client is waiting, or the waiting client has disconnected.
        case nothing
        /// The process, or the machine, has no descriptor or memory left.
        case exhausted
    }

    let descriptor: Int32
    /// The port; if 0 was requested, the port that the system chose.
    let port: UInt16
    /// Whether the address is a loopback address.
    let isLoopback: Bool

    /// Listens on an IPv4 address in digits.
    ///
    /// A port on which another owner listens is an error: it is not shared. A port whose last owner has ended, but that
    /// is not released yet, is used.
    init(address: String, port: UInt16) throws(HTTPServerError) {
        let operation = "listen on \(address):\(port)"
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &socketAddress.sin_addr) == 1 else {
            throw HTTPServerError(operation: operation, reason: Self.addressReason)
        }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else {
            throw HTTPServerError(operation: operation, reason: String(cString: strerror(errno)))
        }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, SOMAXCONN) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isBound else {
            let code = errno
            close(descriptor)
            let remedy = code == EADDRINUSE ? "; another process listens there: choose another port" : ""
            throw HTTPServerError(operation: operation, reason: String(cString: strerror(code)) + remedy)
        }
        self.descriptor = descriptor
        self.port = UInt16(bigEndian: socketAddress.sin_port)
        isLoopback = UInt32(bigEndian: socketAddress.sin_addr.s_addr) >> 24 == 127
    }

    deinit { close(descriptor) }

    private static let addressReason = "expected an IPv4 address in digits"

    /// Reason why no socket can listen on an address; nil for an IPv4 address in digits.
    static func fault(ofAddress address: String) -> String? {
        var parsed = sockaddr_in()
        return inet_pton(AF_INET, address, &parsed.sin_addr) == 1 ? nil : addressReason
    }

    /// Accepts the next waiting connection.
    func accept() -> Acceptance {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let accepted = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.accept(descriptor, pointer, &length)
            }
        }
        if accepted >= 0 {
            _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            return .connection(Accepted(descriptor: accepted, address: address))
        }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) ? .exhausted : .nothing
    }
}

/// Milliseconds of a monotonic clock.
func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}
