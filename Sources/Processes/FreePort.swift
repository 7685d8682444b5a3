import Glibc

/// Returns a TCP port on 127.0.0.1 on which no process listens at this time. Another process may bind it before the
/// caller does.
///
/// - Throws: `ProcessError` if the system has none.
public func freePort() throws(ProcessError) -> UInt16 {
    let operation = "find a free port"
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw ProcessError(operation, code: errno) }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
        guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return EINVAL }
        guard bind(descriptor, pointer, length) == 0, getsockname(descriptor, pointer, &length) == 0 else {
            return errno
        }
        return 0
    }
    guard code == 0 else { throw ProcessError(operation, code: code) }
    return UInt16(bigEndian: address.sin_port)
}
