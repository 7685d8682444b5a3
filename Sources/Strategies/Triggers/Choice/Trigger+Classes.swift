internal import Vocabulary

extension Trigger {
    /// A message if the trigger names a class that a project with `classes` classes does not have; nil otherwise.
    public func complaint(classes: Int) -> String? {
        for part in condition.flattened {
            let label: ClassIndex?
            switch part {
            case .confidence(let named, _): label = named
            case .probability(let named, _): label = named
            default: continue
            }
            if let label, !(0..<classes).contains(label.rawValue) {
                return "trigger \(name): there is no class \(label.rawValue)"
            }
        }
        return nil
    }
}
