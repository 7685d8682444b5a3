import Foundation
import Statistics
import Testing

/// The C library selects other functions on other processors, with other last bits; `Reproducible` must not differ.
@Suite struct SameBitsTests {
    /// A digest of the bits of `functions` at 20,000 arguments each.
    static func digest(_ functions: [(Double) -> Double]) -> String {
        var generator = SplitMix64(seed: 11)
        // FNV-1a over whole words: any changed bit changes the digest.
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for _ in 0..<20_000 {
            let x = Double.random(in: 0..<1, using: &generator)
            for function in functions { digest = (digest ^ function(x).bitPattern) &* 0x100_0000_01b3 }
        }
        return String(digest, radix: 16)
    }

    @Test("exp, log and pow have the same bits whichever functions the C library selects")
    func sameBits() {
        let ours = Self.digest([
            { Reproducible.exp($0 * 20 - 10) }, { Reproducible.log($0 * 100 + 1e-9) },
            { Reproducible.pow($0 + 0.5, $0 * 9) },
        ])
        let theirs = Self.digest([{ exp($0 * 20 - 10) }, { log($0 * 100 + 1e-9) }, { pow($0 + 0.5, $0 * 9) }])
        // deploy/test compares this line between two processes.
        print("exp, log and pow of the C library: \(theirs)")
        #expect(ours == "226ad305d5bf9e6")
    }
}
