package import S3
package import S3Testing
package import Storage

extension S3Client {
    /// Client of a bucket that never pauses.
    package static func pipeline(_ bucket: FakeBucket) throws -> S3Client {
        let credentials = try S3Credentials(accessKey: "a", secretKey: "a-secret")
        let settings = try S3Settings(endpoint: bucket.url, credentials: credentials)
        return S3Client(settings, environment: S3Environment(pause: { _ in }))
    }
}

extension S3URI {
    /// A location in the pipeline's S3 bucket.
    package static func pipeline(_ key: String) -> S3URI {
        guard let uri = S3URI(bucket: FakeBucket.name, key: key) else { preconditionFailure("no place: \(key)") }
        return uri
    }
}
