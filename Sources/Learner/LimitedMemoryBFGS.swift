/// Minimises a smooth function of many variables from values and gradients.
///
/// Deterministic: no randomness, every sum in order. The line search brackets a step that meets the weak Wolfe conditions.
///
/// - SeeAlso: Liu, Nocedal (1989), *On the limited memory BFGS method for large scale optimization*,
///   doi:10.1007/BF01589116; Lewis, Overton (2013), *Nonsmooth optimization via quasi-Newton methods*,
///   doi:10.1007/s10107-012-0514-2, for the line search.
struct LimitedMemoryBFGS {
    /// Number of past steps that are stored.
    var memory = 10
    var maximumIterations: Int
    /// Stops once no component of the gradient is larger.
    var tolerance: Double

    struct Result {
        let point: [Double]
        let value: Double
        let iterations: Int
        let hasConverged: Bool
    }

    private struct Correction {
        let step: [Double]
        let change: [Double]
        let inverseProduct: Double
    }

    func minimize(from start: [Double], _ evaluate: ([Double], inout [Double]) -> Double) -> Result {
        var point = start
        var gradient = [Double](repeating: 0, count: start.count)
        var value = evaluate(point, &gradient)
        var corrections: [Correction] = []
        var iteration = 0
        while iteration < maximumIterations, largestMagnitude(gradient) > tolerance {
            var direction = descentDirection(gradient, corrections)
            var slope = dot(gradient, direction)
            if slope >= 0 {
                corrections = []
                direction = descentDirection(gradient, [])
                slope = dot(gradient, direction)
            }
            let firstStep = corrections.isEmpty ? min(1, 1 / dot(gradient, gradient).squareRoot()) : 1
            guard
                let found = search(
                    from: point,
                    value: value,
                    along: direction,
                    slope: slope,
                    firstStep: firstStep,
                    evaluate
                )
            else { break }
            iteration += 1
            let step = difference(found.point, point)
            let change = difference(found.gradient, gradient)
            let product = dot(step, change)
            if product > 0 {
                if corrections.count == memory { corrections.removeFirst() }
                corrections.append(Correction(step: step, change: change, inverseProduct: 1 / product))
            }
            point = found.point
            value = found.value
            gradient = found.gradient
        }
        let hasConverged = value.isFinite && largestMagnitude(gradient) <= tolerance
        return Result(point: point, value: value, iterations: iteration, hasConverged: hasConverged)
    }

    /// Finds a step along `direction` that meets the weak Wolfe conditions: it lowers the value enough and reduces the
    /// slope enough. Nil if rounding leaves no such step.
    private func search(
        from point: [Double],
        value: Double,
        along direction: [Double],
        slope: Double,
        firstStep: Double,
        _ evaluate: ([Double], inout [Double]) -> Double
    ) -> (point: [Double], value: Double, gradient: [Double])? {
        var low = 0.0
        var high = Double.infinity
        var step = firstStep
        var gradient = [Double](repeating: 0, count: point.count)
        for _ in 0..<40 {
            var candidate = point
            for index in candidate.indices { candidate[index] += step * direction[index] }
            let reached = evaluate(candidate, &gradient)
            if !(reached <= value + 1e-4 * step * slope) {
                high = step
            } else if dot(gradient, direction) < 0.9 * slope {
                low = step
            } else {
                return (candidate, reached, gradient)
            }
            step = high < .infinity ? 0.5 * (low + high) : 2 * low
        }
        return nil
    }

    /// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
    private func descentDirection(_ gradient: [Double], _ corrections: [Correction]) -> [Double] {
        var direction = gradient
        for index in direction.indices { direction[index] = -direction[index] }
        var factors = [Double](repeating: 0, count: corrections.count)
        for index in corrections.indices.reversed() {
            let correction = corrections[index]
            let factor = dot(correction.step, direction) * correction.inverseProduct
            factors[index] = factor
            add(correction.change, times: -factor, to: &direction)
        }
        if let last = corrections.last {
            let scale = 1 / (last.inverseProduct * dot(last.change, last.change))
            for index in direction.indices { direction[index] *= scale }
        }
        for index in corrections.indices {
            let correction = corrections[index]
            let factor = dot(correction.change, direction) * correction.inverseProduct
            add(correction.step, times: factors[index] - factor, to: &direction)
        }
        return direction
    }

    private func dot(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for index in left.indices { sum += left[index] * right[index] }
        return sum
    }

    private func add(_ vector: [Double], times factor: Double, to target: inout [Double]) {
        for index in target.indices { target[index] += factor * vector[index] }
    }

    private func difference(_ left: [Double], _ right: [Double]) -> [Double] {
        var result = left
        for index in result.indices { result[index] -= right[index] }
        return result
    }

    /// The largest magnitude of a component; infinite if a component is NaN, because `max` would skip it and an
    /// overflowed gradient would appear flat.
    private func largestMagnitude(_ vector: [Double]) -> Double {
        var largest = 0.0
        for number in vector {
            guard !number.isNaN else { return .infinity }
            largest = max(largest, number.magnitude)
        }
        return largest
    }
}
