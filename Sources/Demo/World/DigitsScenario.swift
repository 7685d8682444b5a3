internal import Foundation
internal import Statistics

/// One image of a digit.
public struct DigitImage: Hashable, Sendable {
    /// Id of the image, as in `img-17`.
    public let id: String
    /// 64 values in `0...16`, row by row.
    public let pixels: [Int]
    /// The digit, `0` to `9`.
    public let digit: Int

    /// The pixels divided by 16: the input of the models, and the embedding.
    public var features: [Float] { pixels.map { Float($0) / 16 } }

    /// The content of the sample: a JSON list of the pixels.
    public var text: String { "[" + pixels.map(String.init).joined(separator: ",") + "]" }
}

/// The images, split by a seed into those that are streamed and those that no topic ever contains.
public struct DigitsScenario: Sendable {
    public static let classes = (0...9).map(String.init)

    public let streamed: [DigitImage]
    /// 30 % of the images, held out to measure the learning curve.
    public let heldOut: [DigitImage]

    /// Splits the images by a seed.
    ///
    /// - Throws: `DemoError` if the data file of the program is missing or malformed.
    public init(seed: UInt64) throws {
        var images = try Self.load()
        var generator = SplitMix64(seed: seed ^ 0x6469_6769_7473)
        SeededSampling.shuffle(&images, using: &generator)
        let count = images.count * 3 / 10
        heldOut = Array(images.prefix(count))
        streamed = Array(images.dropFirst(count))
    }

    /// All 1,797 images in the order of the file.
    public static func load() throws -> [DigitImage] {
        guard let url = Bundle.module.url(forResource: "digits", withExtension: "csv", subdirectory: "Resources") else {
            throw DemoError(
                "the data file digits.csv is not beside the program: build with swift build, and keep the folder flywheel_Demo.resources"
            )
        }
        var images: [DigitImage] = []
        for (row, line) in try String(contentsOf: url, encoding: .utf8).split(separator: "\n").enumerated() {
            let values = line.split(separator: ",").compactMap { Int($0) }
            guard values.count == 65, (0...9).contains(values[64]) else {
                throw DemoError("digits.csv line \(row + 1): expected 64 pixels and a digit")
            }
            images.append(DigitImage(id: "img-\(row)", pixels: Array(values.prefix(64)), digit: values[64]))
        }
        return images
    }
}

/// Error of the demo.
public struct DemoError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
