import Hashing
import Testing

@Suite struct StableHashTests {
    @Test(
        "XXH64 gives the published values",
        arguments: [
            ("", 0xef46_db37_51d8_e999 as UInt64),
            ("a", 0xd24e_c4f1_a98c_6e5b),
            ("abc", 0x44bc_2cf5_ad77_0999),
            ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
        ]
    )
    func publishedVectors(text: String, expected: UInt64) {
        #expect(xxh64(text) == expected)
    }

    @Test(
        "XXH64 gives the values of the reference self-check",
        arguments: [
            (1, 0xe934_a84a_db05_2768 as UInt64), (4, 0x9136_a0dc_a574_57ee), (14, 0x8282_dcc4_994e_35c8),
            (222, 0xb641_ae8c_b691_c174),
        ]
    )
    func sanityBuffer(count: Int, expected: UInt64) {
        var generator: UInt64 = 2_654_435_761
        var bytes: [UInt8] = []
        for _ in 0..<count {
            bytes.append(UInt8(truncatingIfNeeded: generator >> 56))
            generator &*= 11_400_714_785_074_694_797
        }
        #expect(bytes.withUnsafeBytes { xxh64($0) } == expected)
    }

    @Test("A draw hashes the salt, the project, a zero byte, the purpose, a zero byte and the key")
    func layout() {
        let plain = StableHash(project: "digits", purpose: "audit")
        #expect(plain.hash(key: "s-1") == xxh64("digits\u{0}audit\u{0}s-1"))
        let salted = StableHash(project: "digits", purpose: "audit", salt: Array("pepper".utf8))
        #expect(salted.hash(key: "s-1") == xxh64("pepperdigits\u{0}audit\u{0}s-1"))
        #expect(StableHash.unit(project: "digits", purpose: "audit", key: "s-1") == plain.unit(key: "s-1"))
    }

    @Test("The documented vectors hold")
    func documentedVectors() {
        #expect(StableHash(project: "digits", purpose: "audit").hash(key: "s-1") == 0xeec3_a941_aff5_292d)
        #expect(StableHash(project: "digits", purpose: "audit").hash(key: "walk-3") == 0xeadc_2efc_c0f7_ad9e)
        #expect(
            StableHash(project: "digits", purpose: "audit", salt: [0xff, 0x00, 0x01]).hash(key: "walk-3")
                == 0xdb79_e528_340e_3944
        )
        #expect(StableHash(project: "digits", purpose: "split").hash(key: "s-1") == 0x035a_e0ae_5c39_53b8)
        #expect(StableHash(project: "προϊόντα", purpose: "canary").hash(key: "") == 0x3061_27c2_b11d_6a3b)
        #expect(
            StableHash(project: "digits", purpose: "audit", salt: [0xff, 0x00, 0x01]).hash(key: "s-1")
                == 0xed3f_ec23_be8e_4d39
        )
    }

    @Test("A draw is in 0..<1 even for the largest hash")
    func range() {
        #expect(StableHash.unit(hash: 0) == 0)
        #expect(StableHash.unit(hash: .max) < 1)
        #expect(StableHash.unit(hash: 1 << 63) == 0.5)
    }

    @Test("Draws are evenly distributed, and independent between purposes")
    func spread() {
        let audit = StableHash(project: "p", purpose: "audit")
        let split = StableHash(project: "p", purpose: "split")
        var auditLow = 0
        var bothLow = 0
        for index in 0..<20_000 {
            guard audit.unit(key: "s\(index)") < 0.1 else { continue }
            auditLow += 1
            if split.unit(key: "s\(index)") < 0.5 { bothLow += 1 }
        }
        #expect((1_850...2_150).contains(auditLow))
        #expect((900...1_100).contains(bothLow))
    }
}
