import Foundation
import Storage
import Testing

@Suite struct StorageExamples {
    @Test("An object is written, read and listed")
    func objects() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try FolderStore(root: folder)
        try store.write(Array("[1]".utf8), to: "rows/1.json")
        let bytes = try store.read("rows/1.json")
        let names = try store.list("rows")
        #expect(bytes == Array("[1]".utf8))
        #expect(names == ["rows/1.json"])
    }

    @Test("A name below a URI is encoded")
    func uri() {
        let folder = S3URI("s3://models/digits/")
        let object = folder?.appending("version 1.json")
        let uri = object?.description
        #expect(folder?.key == "digits")
        #expect(uri == "s3://models/digits/version%201.json")
    }
}
