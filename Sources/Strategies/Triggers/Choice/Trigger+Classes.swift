internal import Vocabulary

extension Trigger {
    /// The class that a trigger names and a project with so many does not have; nil where there is none.
    public func complaint(classes: Int) -> String? {
        for part in condition.flattened {
            let label: ClassIndex?
            switch part {
            case .confidence(let one, _): label = one
            case .probability(let one, _): label = one
            default: continue
            }
            if let label, !(0..<classes).contains(label.rawValue) {
                return "trigger \(name): there is no class \(label.rawValue)"
            }
        }
        return nil
    }
}
