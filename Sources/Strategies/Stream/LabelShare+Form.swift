package import Forms

extension ValueKind where Self == Mapped<Number, LabelShare> {
    /// A share in `0...1`, of which whole millionths are kept.
    package static var share: Self {
        Mapped(Number(0...1), placeholder: LabelShare(millionths: 0), { LabelShare($0) }, { $0.value })
    }
}
