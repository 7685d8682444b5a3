extension ConfigurationReader {
    /// The map at `key`; an empty map if absent, so that all its defaults apply.
    public func section(_ key: String) -> ConfigurationReader {
        let path = "\(prefix)\(key)."
        guard let node = node(key) else {
            return ConfigurationReader(fileState: fileState, prefix: path, entries: [], line: line)
        }
        guard case .map(let entries) = node.content else {
            mismatch(key, node, "a map")
            return ConfigurationReader(fileState: fileState, prefix: path, entries: [], line: node.line)
        }
        return ConfigurationReader(fileState: fileState, prefix: path, entries: entries, line: node.line)
    }

    /// A reader of the map in a value, whose keys must all be read; nil if the value is not a map.
    public func map(_ key: String, _ node: YAMLNode) -> ConfigurationReader? {
        guard case .map(let entries) = node.content else { return nil }
        return ConfigurationReader(fileState: fileState, prefix: "\(prefix)\(key).", entries: entries, line: node.line)
    }

    /// The maps in the list at `key`, in order; none if absent.
    public func sections(_ key: String) -> [ConfigurationReader] {
        guard let node = node(key) else { return [] }
        guard case .list(let elements) = node.content else {
            mismatch(key, node, "a list of maps")
            return []
        }
        var readers: [ConfigurationReader] = []
        for (index, element) in elements.enumerated() {
            guard case .map(let entries) = element.content else {
                mismatch("\(key)[\(index)]", element, "a map")
                continue
            }
            let path = "\(prefix)\(key)[\(index)]."
            readers.append(
                ConfigurationReader(fileState: fileState, prefix: path, entries: entries, line: element.line)
            )
        }
        return readers
    }

    /// The texts in the list at `key`.
    public func strings(_ key: String, default fallback: [String] = []) -> [String] {
        guard let node = node(key) else { return fallback }
        guard case .list(let elements) = node.content else {
            mismatch(key, node, "a list of texts")
            return fallback
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
            if case .scalar(let scalar) = element.content, !element.isNull {
                texts.append(scalar.text)
            } else {
                mismatch("\(key)[\(index)]", element, "a text")
            }
        }
        return texts
    }

    /// The texts in the map at `key`, in order; none if absent.
    public func stringMap(_ key: String) -> [(name: String, value: String)] {
        scalars(key).map { (name: $0.name, value: $0.scalar.text) }
    }

    /// The texts in the map at `key`, each of which may be a reference to a secret, as in `secret`.
    ///
    /// - Parameters:
    ///   - key: Key of the map.
    ///   - isSecret: Whether the value of a name must be a reference: in the configuration itself it is refused.
    ///   - isNeeded: Whether a missing variable or file is a fault; otherwise such names are left out.
    ///   - fault: Fault of a name and its value; nil if there is none. It must not show a secret.
    /// - Returns: Names and values, in order; none if absent.
    public func secretMap(
        _ key: String,
        secrets isSecret: (String) -> Bool = { _ in false },
        isNeeded: Bool = true,
        fault: (String, String) -> String? = { _, _ in nil }
    ) -> [(name: String, value: Secret)] {
        var properties: [(name: String, value: Secret)] = []
        for (name, scalar, line) in scalars(key) {
            let text = scalar.text
            if text.hasPrefix("${") || text.hasPrefix("file:") || isSecret(name) {
                guard let secret = resolved(text, "\(key).\(name)", line: line, isNeeded: isNeeded) else {
                    continue
                }
                properties.append((name: name, value: secret))
            } else {
                properties.append((name: name, value: Secret(text)))
            }
            if let fault = fault(name, properties[properties.count - 1].value.reveal()) {
                let path = "\(prefix)\(key).\(name)"
                fileState.issues.append(ConfigurationIssue(file: fileState.file, line: line, key: path, reason: fault))
            }
        }
        return properties
    }

    private func scalars(_ key: String) -> [(name: String, scalar: YAMLNode.Scalar, line: Int)] {
        guard let node = node(key) else { return [] }
        guard case .map(let entries) = node.content else {
            mismatch(key, node, "a map of texts")
            return []
        }
        var result: [(name: String, scalar: YAMLNode.Scalar, line: Int)] = []
        for entry in entries {
            if case .scalar(let scalar) = entry.value.content, !entry.value.isNull {
                result.append((name: entry.key, scalar: scalar, line: entry.value.line))
            } else {
                mismatch("\(key).\(entry.key)", entry.value, "a text")
            }
        }
        return result
    }
}
