/// Coefficients of `Reproducible.lgamma`, computed with mpmath at 300 bits.
enum GammaCoefficients {
    /// (-1)^k (ζ(k) - 1) / k for k in 2...40: the Taylor series of ln Γ(2 + z).
    static let taylor: [Double] = [
        0x1.4a34cc4a60fa6p-2,
        -0x1.13e001a557607p-4,
        0x1.51322ac7d8483p-6,
        -0x1.e404fc218f5f2p-8,
        0x1.7add6eadb6c30p-9,
        -0x1.38ac5c2bf8e08p-10,
        0x1.0b36af86396e9p-11,
        -0x1.d3fd4c76d2fc8p-13,
        0x1.a127b0f17d65ap-14,
        -0x1.78de5bd7c81efp-15,
        0x1.580dcee66eb02p-16,
        -0x1.3cbc963ce2243p-17,
        0x1.2597a39f34aacp-18,
        -0x1.11b2eb7679541p-19,
        0x1.0064cdeb22f0fp-20,
        -0x1.e2600d93cfd2fp-22,
        0x1.c76bbb3f07a4dp-23,
        -0x1.af5a6cbbf8a97p-24,
        0x1.99b93c2070b0fp-25,
        -0x1.862c734df3eacp-26,
        0x1.7469daccfadcdp-27,
        -0x1.6434a8447aeadp-28,
        0x1.555a877ffd2c3p-29,
        -0x1.47b1679258d0ep-30,
        0x1.3b15d2b2fc10cp-31,
        -0x1.2f69a9fabe3e0p-32,
        0x1.24932a337434cp-33,
        -0x1.1a7c26ec2523cp-34,
        0x1.11116e693ed98p-35,
        -0x1.08424cbc543d8p-36,
        0x1.000026e3f644fp-37,
        -0x1.f07c514fc9f0ap-39,
        0x1.e1e2026aafcd8p-40,
        -0x1.d41d56e5ee2e2p-41,
        0x1.c71c7f6f10e37p-42,
        -0x1.bacf9a27bc89bp-43,
        0x1.af28718a10d6ep-44,
        -0x1.a41a45603e5b6p-45,
        0x1.99999c0716ee9p-46,
    ]

    /// 1 - γ, the first coefficient of that series.
    static let first = 0x1.b0ee6072093cep-2
}
