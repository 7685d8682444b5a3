import Hashing
import Testing

@Suite struct HashingExamples {
    @Test("A sample has a fixed draw")
    func draw() {
        let audit = StableHash(project: "digits", purpose: "audit")
        let draw = audit.unit(key: "s-1")
        let isAudited = draw < 0.1
        #expect(audit.hash(key: "s-1") == 0xeec3_a941_aff5_292d)
        #expect(abs(draw - 0.93267305) < 1e-8)
        #expect(!isAudited)
    }

    @Test("A digest is written in hexadecimal and read back")
    func digest() {
        let digest = SHA256Digest(of: "abc".utf8)
        let text = digest.hex
        let same = SHA256Digest(hex: text)
        #expect(text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(same == digest)
    }
}
