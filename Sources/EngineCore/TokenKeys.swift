public import Events
internal import Hashing
public import Vocabulary

/// Makes the tokens of tasks and training requests, and checks whether an answer repeats one.
///
/// A token is the HMAC-SHA-256, under a secret of the workers, of the topic's full name, the project and the id of the
/// task or request, each as UTF-8 preceded by its length in 4 bytes, the most significant byte first; it consists of
/// the first 16 bytes of the code, as 32 lower-case hexadecimal digits. Therefore no two tasks or requests share a
/// token, and no outside party can make one. The key is the secret as UTF-8.
///
/// - SeeAlso: RFC 2104, *HMAC: Keyed-Hashing for Message Authentication*.
public struct TokenKeys: Sendable, CustomStringConvertible {
    /// One key for each secret: the first makes tokens, tokens under all of them are accepted.
    private let keys: [HMACSHA256]
    /// Whether every token is accepted.
    private let acceptsAll: Bool
    /// Whether the tokens cannot be computed by outside parties.
    public let isSecret: Bool

    /// Creates the keys from secrets that an operator configures: two while one is being changed.
    ///
    /// - Parameter secrets: The first makes tokens, tokens under all of them are accepted; at least one.
    public init(secrets: [String]) {
        precondition(!secrets.isEmpty, "tokens need a secret")
        keys = secrets.map { HMACSHA256(key: Array($0.utf8)) }
        isSecret = true
        acceptsAll = false
    }

    /// Keys of a holder without the secret, which cannot check tokens: every token is accepted, and none is made
    /// that would be accepted elsewhere.
    package static let unchecked = TokenKeys()

    private init() { (keys, isSecret, acceptsAll) = ([HMACSHA256(key: [])], false, true) }

    /// Creates the keys of workers without a configured secret: it is derived from their salt. It is a separate secret,
    /// so that tokens reveal nothing about draws and users. Without a salt, anyone can compute it.
    public init(salt: [UInt8]) {
        keys = [HMACSHA256(key: Array(Self.secret(from: salt).utf8))]
        isSecret = !salt.isEmpty
        acceptsAll = false
    }

    /// The SHA-256 of `flywheel tokens`, a zero byte and the salt, in hexadecimal digits: text, so that it can be
    /// configured beside another secret.
    public static func secret(from salt: [UInt8]) -> String {
        SHA256Digest(of: Array("flywheel tokens\u{0}".utf8) + salt).hex
    }

    /// Returns the token of a task or request.
    ///
    /// `topic` is the full name of the topic that contains it, `id` the id of the task or request.
    ///
    /// - Complexity: O(*n*) in the names.
    public func token(on topic: String, of project: ProjectID, for id: String) -> RequestToken {
        RequestToken(keys[0].tag(of: Self.message(topic, project, id)))
    }

    /// Whether a token is that of a task or request, under any of the secrets. The running time does not reveal where
    /// it differs.
    public func accepts(_ token: RequestToken, on topic: String, of project: ProjectID, for id: String) -> Bool {
        if acceptsAll { return true }
        let message = Self.message(topic, project, id)
        return keys.contains { HMACSHA256.isEqual($0.tag(of: message), token.reveal()) }
    }

    private static func message(_ topic: String, _ project: ProjectID, _ id: String) -> [UInt8] {
        var message: [UInt8] = []
        for part in [topic, project.rawValue, id] {
            withUnsafeBytes(of: UInt32(part.utf8.count).bigEndian) { message += $0 }
            message += part.utf8
        }
        return message
    }

    /// Text with the number of secrets, without the secrets.
    public var description: String { "tokens under \(keys.count) secrets" }
}
