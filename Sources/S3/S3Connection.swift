/// Settings of a store from a file and the environment, before it is known whether they are needed. The
/// description shows no secret.
public struct S3Connection: Sendable, CustomStringConvertible, CustomReflectable {
    /// A URL of scheme `http` or `https`; nil for Amazon's service in the region.
    public var endpoint: String?
    /// As in `eu-central-1`; nil for `us-east-1`.
    public var region: String?
    /// Location of the bucket's name in an address.
    public var style = S3Settings.Style.auto
    private var accessKey: String?
    private var secretKey: String?
    private var sessionToken: String?

    /// Reads the settings from environment variables.
    ///
    /// - Parameter environment: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REGION` or `AWS_DEFAULT_REGION`,
    ///   `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; empty ones are ignored.
    public init(environment: [String: String] = [:]) {
        func variable(_ names: String...) -> String? { names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } }
        endpoint = variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        region = variable("AWS_REGION", "AWS_DEFAULT_REGION")
        accessKey = variable("AWS_ACCESS_KEY_ID")
        secretKey = variable("AWS_SECRET_ACCESS_KEY")
        sessionToken = variable("AWS_SESSION_TOKEN")
    }

    /// Replaces all existing credentials: a mixture of two sets of credentials is invalid.
    public mutating func replaceCredentials(accessKey: String?, secretKey: String?, sessionToken: String?) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    /// Settings for requests to a store.
    ///
    /// - Throws: `S3SettingsError` for a setting that is missing or invalid.
    public func settings() throws(S3SettingsError) -> S3Settings {
        guard let accessKey, let secretKey else {
            let found =
                accessKey != nil || secretKey != nil ? "half of the credentials is missing" : "there are no credentials"
            throw S3SettingsError(
                "\(found): give s3.access_key and s3.secret_key of the worker's file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        }
        return try S3Settings(
            endpoint: endpoint,
            region: region,
            style: style,
            credentials: S3Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: sessionToken)
        )
    }

    /// Endpoint and region, without the credentials.
    public var description: String { "S3 at \(endpoint ?? "Amazon's") in \(region ?? "us-east-1")" }
    /// Mirror that shows endpoint and region only.
    public var customMirror: Mirror { Mirror(self, children: ["endpoint": endpoint ?? "", "region": region ?? ""]) }
}
