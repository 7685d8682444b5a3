import Hashing
import Testing

@Suite struct SHA256Tests {
    @Test(
        "The digest gives NIST's vectors",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func nistVectors(text: String, hex: String) {
        #expect(SHA256Digest(of: text.utf8).hex == hex)
    }

    @Test("A million letters a, in uneven pieces, give NIST's vector, and the hasher is reset")
    func pieces() {
        var hasher = SHA256Hasher()
        var left = 1_000_000
        var step = 1
        while left > 0 {
            let count = min(step, left)
            hasher.update([UInt8](repeating: 0x61, count: count))
            left -= count
            step = step * 3 % 997 + 1
        }
        #expect(hasher.finish().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(hasher.finish() == SHA256Digest(of: []))
    }

    @Test("A digest is read back from its hex and from its bytes, and any other input is refused")
    func roundTrip() throws {
        let digest = SHA256Digest(of: "flywheel".utf8)
        #expect(SHA256Digest(hex: digest.hex) == digest)
        #expect(SHA256Digest(hex: digest.hex.uppercased()) == digest)
        #expect(SHA256Digest(bytes: digest.bytes) == digest)
        #expect(SHA256Digest(hex: String(digest.hex.dropLast())) == nil)
        #expect(SHA256Digest(hex: digest.hex + "0") == nil)
        #expect(SHA256Digest(hex: "g" + digest.hex.dropFirst()) == nil)
        #expect(SHA256Digest(bytes: digest.bytes.dropLast()) == nil)
    }

    @Test("Digests have the order of their hex texts")
    func order() {
        let digests = (0..<100).map { SHA256Digest(of: "\($0)".utf8) }
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
    }

    @Test("The keyed digest gives the vectors of RFC 4231")
    func keyedVectors() {
        let first = HMACSHA256(key: [UInt8](repeating: 0x0b, count: 20)).digest(of: "Hi There")
        #expect(first.hex == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let second = HMACSHA256(key: Array("Jefe".utf8)).digest(of: "what do ya want for nothing?")
        #expect(second.hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = HMACSHA256(key: [UInt8](repeating: 0xaa, count: 131))
            .digest(of: "Test Using Larger Than Block-Size Key - Hash Key First")
        #expect(long.hex == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        let empty = HMACSHA256(key: []).digest(of: "")
        #expect(empty.hex == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("A keyed digest never shows its key")
    func secrecy() {
        let keyed = HMACSHA256(key: Array("sesame".utf8))
        #expect("\(keyed)" == "HMAC-SHA-256 (key of 6 bytes)")
    }
}
