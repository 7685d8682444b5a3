import Testing
import Vocabulary

@Suite struct SaturatingTests {
    @Test("Sums, differences, products and distances stop at the limits of the type and are exact within them")
    func ends() {
        let numbers: [Int8] = [.min, -127, -64, -3, -1, 0, 1, 2, 63, 126, .max]
        for a in numbers {
            for b in numbers {
                func clamped(_ value: Int) -> Int8 { Int8(clamping: value) }
                #expect(a.adding(b) == clamped(Int(a) + Int(b)))
                #expect(a.subtracting(b) == clamped(Int(a) - Int(b)))
                #expect(a.multiplied(by: b) == clamped(Int(a) * Int(b)))
                #expect(a.distance(from: b) == clamped(abs(Int(a) - Int(b))))
            }
        }
        #expect(UInt8(200).adding(100) == 255 && UInt8(3).subtracting(7) == 0 && UInt8(200).multiplied(by: 2) == 255)
    }
}
