/// Address of a store, and the identity of the requester.
public struct S3Settings: Sendable {
    /// Location of the bucket's name in an address.
    public enum Style: String, Hashable, Sendable, CaseIterable {
        /// `host` at Amazon's own addresses, else `path`.
        case auto
        /// `https://endpoint/bucket/key`.
        case path
        /// `https://bucket.endpoint/key`.
        case host
    }

    /// Scheme and address of the service, as in `https://s3.eu-central-1.amazonaws.com`.
    public let endpoint: S3Endpoint
    /// Region in the signatures of requests.
    public let region: String
    /// Location of the bucket's name in an address.
    public let style: Style
    /// Credentials for requests.
    public let credentials: S3Credentials

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - endpoint: A URL of scheme `http` or `https`; nil or empty for Amazon's service in the region.
    ///   - region: As in `eu-central-1`; nil or empty for `us-east-1`.
    ///   - style: Location of the bucket's name in an address.
    ///   - credentials: Credentials of the requester.
    /// - Throws: `S3SettingsError` if the endpoint or region is invalid.
    public init(
        endpoint: String? = nil,
        region: String? = nil,
        style: Style = .auto,
        credentials: S3Credentials
    ) throws(S3SettingsError) {
        let region = region.flatMap { $0.isEmpty ? nil : $0 } ?? "us-east-1"
        guard region.utf8.allSatisfy({ Self.isRegion($0) }) else {
            throw S3SettingsError("the region is not valid: expected letters, digits and hyphens, as in eu-central-1")
        }
        let text = endpoint.flatMap { $0.isEmpty ? nil : $0 } ?? "https://s3.\(region).amazonaws.com"
        guard let uri = S3Endpoint(text) else {
            throw S3SettingsError(
                "the endpoint is not valid: expected http:// or https:// with a host, perhaps a port, and no user, query or fragment"
            )
        }
        self.endpoint = uri
        self.region = region
        self.style = style
        self.credentials = credentials
    }

    private static func isRegion(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
    }
}

/// Scheme and address of a service.
public struct S3Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// Host, in lower case, and port unless it is the scheme's default.
    public let host: String
    /// Path before the bucket: empty, or beginning with a slash and ending before the next one.
    public let path: String

    /// Fails unless `text` is a URL of `http` or `https` with a host and without user, query and fragment.
    public init?(_ text: String) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = parts.first?.lowercased(), ["http", "https"].contains(scheme),
            parts[1].utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !parts[1].contains(where: { "@?#\\%\"<>^`{|}".contains($0) })
        else { return nil }
        var host = parts[1].prefix { $0 != "/" }.lowercased()
        let usual = scheme == "http" ? ":80" : ":443"
        if host.hasSuffix(usual), !host.hasPrefix("[") || host.hasSuffix("]\(usual)") {
            host = String(host.dropLast(usual.count))
        }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        let port = host.dropFirst(host.hasPrefix("[") ? name.count + 2 : name.count)
        guard !name.isEmpty, port.isEmpty || UInt16(port.dropFirst()).map({ $0 > 0 }) == true && port.hasPrefix(":")
        else {
            return nil
        }
        self.scheme = scheme
        self.host = host
        let segments = parts[1].dropFirst(parts[1].prefix { $0 != "/" }.count).split(separator: "/")
        guard !segments.contains(where: { $0 == "." || $0 == ".." }) else { return nil }
        path = segments.map { "/\($0)" }.joined()
    }

    /// Whether the service is Amazon's own.
    var isAmazon: Bool { host.hasSuffix(".amazonaws.com") || host.hasSuffix(".amazonaws.com.cn") }

    /// The URL.
    public var description: String { "\(scheme)://\(host)\(path)" }
}
