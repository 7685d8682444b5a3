/// Evidence that a challenger beats a champion, from the samples that exactly one of them predicts correctly.
///
/// If neither is better, each of these pairs is a fair coin toss. The e-value is the likelihood of the pairs seen,
/// averaged over win rates θ uniform on (½, 1], over their likelihood at θ = ½: E = 2^(n+1) B(w + 1, l + 1) (1 − I½(w +
/// 1, l + 1)). It may be evaluated after every pair: by Ville's inequality the probability that it ever exceeds 1/α
/// while θ ≤ ½ is at most α.
///
/// ```swift
/// let level = 0.05
/// let evidence = pairedEProcess(wins: 30, losses: 10)
/// let isProven = evidence > Reproducible.log(1 / level)
/// ```
///
/// - Parameters:
///   - wins: Pairs that only the challenger predicted correctly; at least 0.
///   - losses: Pairs that only the champion predicted correctly; at least 0.
/// - Returns: The natural logarithm of the e-value; 0 without pairs, above ln (1/α) is proof at level α.
/// - Complexity: O(√(wins + losses)).
/// - SeeAlso: Ville (1939), *Étude critique de la notion de collectif*; Grünwald, de Heide, Koolen (2019), *Safe
///   testing*, arXiv:1906.07801.
public func pairedEProcess(wins: Int, losses: Int) -> Double {
    precondition(wins >= 0 && losses >= 0, "counts are not negative")
    return pairedEProcess(gain: Double(wins), loss: Double(losses))
}

/// Evidence that a challenger beats a champion, from pairs that each have a difference in `-1...1`, above 0 if the
/// challenger did better: equal to `pairedEProcess(wins:losses:)` if all differences are integers.
///
/// With λ = 2θ − 1 uniform on (0, 1], a pair of difference *d* bets 1 + λ*d*, whose mean is at most 1 while the mean of
/// *d* is at most 0. The logarithm of the bet is concave in *d*, so it is at least *d* ln(1 + λ) for a gain and |*d*|
/// ln(1 − λ) for a loss: the product over all pairs is no less than (1 + λ)^gain (1 − λ)^loss, and the result is the
/// mean of the latter over λ. So it is an e-value too, and may be evaluated after every pair.
///
/// - Parameters:
///   - gain: The sum of the differences above 0; at least 0.
///   - loss: The sum of the magnitudes of the differences below 0; at least 0.
/// - Returns: The natural logarithm of the e-value, or of a smaller value.
/// - Complexity: O(√(gain + loss)).
public func pairedEProcess(gain: Double, loss: Double) -> Double {
    precondition(gain >= 0 && loss >= 0, "sums are not negative")
    // 2ⁿ B(w + 1, l + 1) = 1 / ((n + 1) · P(w of n at ½)), whose logarithm does not cancel for large n.
    let likelihood = Reproducible.logBinomialMass(successes: gain, failures: loss, 0.5)
    let upper = Reproducible.logIncompleteBeta(0.5, loss + 1, gain + 1)
    return 0x1.62e42fefa39efp-1 - Reproducible.log(gain + loss + 1) - likelihood + upper
}

/// The exact two-sided p-value of McNemar's test: how surprising it is, if neither model is better, that the pairs on
/// which they differ split at least this unevenly.
///
/// It is valid for a single evaluation, at a number of samples fixed beforehand; `pairedEProcess` is for continuous
/// evaluation.
///
/// - Returns: In 0...1; 1 without pairs.
/// - SeeAlso: McNemar (1947), *Note on the sampling error of the difference between correlated proportions*,
///   doi:10.1007/BF02295996.
public func mcNemarPValue(wins: Int, losses: Int) -> Double {
    precondition(wins >= 0 && losses >= 0, "counts are not negative")
    return min(1, 2 * Reproducible.binomialCDF(min(wins, losses), of: wins + losses, 0.5))
}
