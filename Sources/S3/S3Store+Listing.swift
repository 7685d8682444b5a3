internal import HTTPClient
public import Storage

extension S3Store {
    /// What keys in a folder begin with.
    private func beginning(_ folder: String) -> String {
        [place.key, folder].filter { !$0.isEmpty }.map { "\($0)/" }.joined()
    }

    private func bucket() throws(StorageError) -> S3URI {
        guard let bucket = S3URI(bucket: place.bucket, key: "") else {
            throw StorageError(.invalidName, "list", place.description, "the bucket is none")
        }
        return bucket
    }

    /// The names of all objects in a folder of the store and below it, in byte order; none if there is no such folder.
    ///
    /// - Complexity: A request for every 1,000 of them.
    public func list(_ folder: String) throws(StorageError) -> [String] {
        if !folder.isEmpty { try ObjectName.check(folder) }
        let root = beginning("")
        var names: [String] = []
        var token: String?
        repeat {
            var request = S3Client.Request(method: .get, place: try bucket(), operation: "list")
            request.maximumSize = 16 << 20
            request.query = [("list-type", "2"), ("prefix", beginning(folder)), ("encoding-type", "url")]
            if let token { request.query.append(("continuation-token", token)) }
            guard let text = S3Text(try client.send(request).body).elements("ListBucketResult", atMost: 1).first else {
                throw client.notAStore(place, "list")
            }
            for entry in text.elements("Contents") {
                guard let key = entry.first("Key").flatMap(Self.decoded), key.hasPrefix(root) else { continue }
                let name = String(key.dropFirst(root.count))
                // Not ours: what we write has names that we accept.
                if (try? ObjectName.check(name)) != nil { names.append(name) }
            }
            let next = text.first("IsTruncated") == "true" ? text.first("NextContinuationToken") : nil
            guard next == nil || next != token else {
                throw StorageError(.unavailable, "list", location, "the store begins its list anew; try again")
            }
            token = next
        } while token != nil
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Ends uploads in parts that began more than `age` ago: whoever began them was killed. The first 1,000 of them; and none
    /// where the store does not let us list them, since that costs money and nothing else.
    @discardableResult
    public func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        var request = S3Client.Request(method: .get, place: try bucket(), operation: "list the uploads of")
        request.query = [("uploads", ""), ("prefix", beginning(""))]
        request.maximumSize = 16 << 20
        let answer: HTTPAnswer
        do throws(StorageError) {
            answer = try client.send(request)
        } catch {
            if error.kind == .forbidden { return 0 }
            throw error
        }
        let oldest = client.environment.now() / 1_000 - age.components.seconds
        var removed = 0
        for upload in S3Text(answer.body).elements("Upload") {
            guard let key = upload.first("Key"), isOurs(key), let id = upload.first("UploadId"),
                let object = S3URI(bucket: place.bucket, key: key),
                // As in 2026-11-30T17:01:44.000Z.
                let began = upload.first("Initiated")?.filter({ $0.isNumber || $0 == "T" }).prefix(15),
                String(began) <= RequestSigner.timestamp(oldest).dropLast()
            else { continue }
            let end = S3Client.Request(
                method: .delete,
                place: object,
                query: [("uploadId", id)],
                operation: "end writing"
            )
            // Another day, rather than 1,000 times the wait for a server that is away.
            guard (try? client.send(end)) != nil else { break }
            removed += 1
        }
        return removed
    }

    /// Whether we write under such a key: without a prefix a bucket may be somebody else's, too.
    private func isOurs(_ key: String) -> Bool {
        let root = beginning("")
        guard key.hasPrefix(root) else { return false }
        let name = key.dropFirst(root.count)
        return name.hasPrefix("models/") || name.hasPrefix("progress/") || name.contains("/segments/")
            || name.contains("/versions/")
    }

    /// A key as lists have it: `+` is a blank.
    private static func decoded(_ text: String) -> String? {
        S3URI("s3://bucket/\(text.replacing("+", with: "%20"))")?.key
    }
}
