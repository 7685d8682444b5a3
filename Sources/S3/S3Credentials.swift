/// Credentials for requests to a store. The description never shows a secret.
public struct S3Credentials: Sendable, CustomStringConvertible, CustomReflectable {
    /// Key that identifies the requester; not secret, but shown in part only.
    public let accessKey: String
    let secretKey: String
    /// Session token of temporary credentials; nil for others.
    let sessionToken: String?

    /// Creates credentials.
    ///
    /// - Parameters:
    ///   - accessKey: Key that identifies the requester.
    ///   - secretKey: Key that signs requests.
    ///   - sessionToken: Token of temporary credentials; nil or empty for others.
    /// - Throws: `S3SettingsError` if a key is empty or cannot be written in a header.
    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) throws(S3SettingsError) {
        let token = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
        for (name, value) in [("access key", accessKey), ("secret key", secretKey), ("session token", token ?? "-")] {
            guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                let fault =
                    value.isEmpty ? "is empty" : "contains a space, a line break or another forbidden character"
                throw S3SettingsError("the \(name) \(fault)")
            }
        }
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = token
    }

    /// The first characters of the access key, without the secrets.
    public var description: String { "S3 credentials \(accessKey.prefix(4))…" }
    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Error of settings with which no store can be accessed.
public struct S3SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Reason in words, without a secret.
    public let reason: String

    init(_ reason: String) { self.reason = reason }

    /// The reason.
    public var description: String { reason }
}
