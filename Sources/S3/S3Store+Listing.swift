internal import Dates
internal import HTTPClient
public import Storage

extension S3Store {
    /// Prefix of the keys in a folder.
    private func keyPrefix(_ folder: String) -> String {
        [uri.key, folder].filter { !$0.isEmpty }.map { "\($0)/" }.joined()
    }

    private func bucket() throws(StorageError) -> S3URI {
        guard let bucket = S3URI(bucket: uri.bucket, key: "") else {
            throw StorageError(.invalidName, "list", uri.description, reason: "the bucket's name is not valid")
        }
        return bucket
    }

    /// Maximum number of requests for one list, in case a service returns new tokens without end.
    static let maximumRequests = 100_000
    /// Maximum number of consecutive requests that return no new key.
    private static let idleRequests = 100
    /// Maximum number of keys in one list.
    private static let maximumKeys = 20_000_000

    /// One answer to a request for a list.
    struct Page {
        /// All keys, including keys that Flywheel did not write.
        var keys: [String] = []
        var entries: [ObjectEntry] = []
        /// Token with which the list continues.
        var next: String?

        /// Reads an answer; nil if no store would return it.
        ///
        /// - Parameters:
        ///   - body: The answer.
        ///   - root: Common beginning of Flywheel's keys.
        init?(_ body: [UInt8], root: String) {
            guard let text = S3Text(body).elements("ListBucketResult", atMost: 1).first else { return nil }
            for entry in text.elements("Contents") {
                guard let key = entry.first("Key").flatMap(S3Store.decoded) else { continue }
                keys.append(key)
                guard key.hasPrefix(root) else { continue }
                let name = String(key.dropFirst(root.count))
                // Flywheel did not write this object: all names that it writes are valid.
                guard (try? ObjectName.check(name)) != nil else { continue }
                guard let size = entry.first("Size").flatMap({ Int($0) }), size >= 0 else { return nil }
                let modified = entry.first("LastModified").flatMap(S3Store.seconds) ?? .max
                entries.append(ObjectEntry(name: name, size: size, modified: modified))
            }
            guard text.first("IsTruncated") == "true" else { return }
            // A partial list is rejected: nothing would indicate the missing objects.
            guard let token = text.first("NextContinuationToken"), !token.isEmpty else { return nil }
            next = token
        }
    }

    /// Returns all objects in a folder of the store and below it, in byte order of their names; none if there is no
    /// such folder.
    ///
    /// - Throws: `StorageError` if the store refuses, or its list does not end.
    /// - Complexity: One request per 1,000 objects.
    public func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] {
        if !folder.isEmpty { try ObjectName.check(folder) }
        let root = keyPrefix("")
        var found: [ObjectEntry] = []
        var token: String?
        // Every service has its own order; a key that is listed twice is no progress.
        var known: Set<String> = []
        var (requests, idle) = (0, 0)
        repeat {
            requests += 1
            var request = S3Client.Request(method: .get, uri: try bucket(), operation: "list")
            request.maximumSize = 16 << 20
            request.query = [("list-type", "2"), ("prefix", keyPrefix(folder)), ("encoding-type", "url")]
            if let token { request.query.append(("continuation-token", token)) }
            guard let page = Page(try client.send(request).body, root: root) else {
                throw client.notAStore(uri, "list")
            }
            let before = known.count
            var names: Set<String> = []
            for key in page.keys where known.insert(key).inserted { names.insert(key) }
            found += page.entries.filter { names.contains(root + $0.name) }
            idle = known.count > before ? 0 : idle + 1
            let mayContinue =
                requests < Self.maximumRequests && idle < Self.idleRequests && known.count < Self.maximumKeys
            guard page.next == nil || page.next != token && mayContinue else {
                throw StorageError(
                    .unavailable,
                    "list",
                    location,
                    reason: "the store's list starts again or does not end; try again"
                )
            }
            token = page.next
        } while token != nil
        return found.sortedByName()
    }

    /// Seconds since 1970 of a time as in 2026-11-30T17:01:44.000Z; nil for any other text.
    static func seconds(_ text: String) -> Int64? {
        let fields = text.split(whereSeparator: { !$0.isNumber }).prefix(6).compactMap { Int64($0) }
        guard fields.count == 6, text.hasSuffix("Z"), (1970...9_999).contains(fields[0]), (1...12).contains(fields[1]),
            (1...31).contains(fields[2]), fields[3] < 24, fields[4] < 60, fields[5] <= 60
        else { return nil }
        let days = CivilDate(year: fields[0], month: fields[1], day: fields[2]).daysSince1970
        return ((days * 24 + fields[3]) * 60 + fields[4]) * 60 + fields[5]
    }

    /// Ends the first 1,000 uploads in parts that began more than `age` ago: the process that began them was killed.
    /// Ends none if the store does not permit listing them, since leftovers cost money and do no other harm.
    @discardableResult
    public func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        var request = S3Client.Request(method: .get, uri: try bucket(), operation: "list the uploads of")
        request.query = [("uploads", ""), ("prefix", keyPrefix(""))]
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
                let object = S3URI(bucket: uri.bucket, key: key),
                // As in 2026-11-30T17:01:44.000Z.
                let began = upload.first("Initiated")?.filter({ $0.isNumber || $0 == "T" }).prefix(15),
                String(began) <= RequestSigner.timestamp(oldest).dropLast()
            else { continue }
            let end = S3Client.Request(
                method: .delete,
                uri: object,
                query: [("uploadId", id)],
                operation: "end writing"
            )
            // The rest is left for later, instead of waiting up to 1,000 times for a server that does not answer.
            guard (try? client.send(end)) != nil else { break }
            removed += 1
        }
        return removed
    }

    /// Whether Flywheel writes under such a key: without a prefix, other applications may use the bucket, too.
    private func isOurs(_ key: String) -> Bool {
        let root = keyPrefix("")
        guard key.hasPrefix(root) else { return false }
        let name = key.dropFirst(root.count)
        return name.hasPrefix("models/") || name.hasPrefix("progress/")
            || ["segments", "tombstones", "pages", "versions", "packs"].contains { name.contains("/\($0)/") }
    }

    /// Decodes a key from a list, in which `+` is a blank.
    static func decoded(_ text: String) -> String? {
        S3URI(bucket: "bucket", encodedKey: text.replacing("+", with: "%20"))?.key
    }
}
