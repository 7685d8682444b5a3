internal import Vocabulary

extension PredictionReader {
    /// Names that the reader looks up. Keys are stored with their quotes, as they occur in the text, so that one
    /// comparison is sufficient.
    final class Names {
        private let keyNames = NameTable(
            [
                "project", "sample", "model", "output", "predicted_at_ms", "id", "version", "role", "kind",
                "probabilities", "remainder", "embedding", "specversion", "data", "members", "logits", "score",
                "content", "metadata", "space", "name", "variant", "uri", "media_type", "group",
            ].map { "\"\($0)\"" }
        )
        private let roleNames = NameTable(ModelRole.allCases.map(\.rawValue))
        private let kindNames = NameTable(["choice"])
        private let contentNames = NameTable(["uri", "inline"])
        private let floatNames = NameTable(["float32"])
        private let base64 = Base64Digits()
        private let views: UnsafePointer<Views>

        init() {
            let pointer = UnsafeMutablePointer<Views>.allocate(capacity: 1)
            pointer.initialize(
                to: Views(
                    keys: keyNames.view,
                    roles: roleNames.view,
                    kinds: kindNames.view,
                    contents: contentNames.view,
                    floats: floatNames.view,
                    base64: base64.view
                )
            )
            views = UnsafePointer(pointer)
        }

        deinit { views.deallocate() }

        /// Reader that uses these names; valid while this object exists.
        var reader: PredictionReader { PredictionReader(views: views) }
    }

    struct Views {
        let keys: NameView
        let roles: NameView
        let kinds: NameView
        let contents: NameView
        let floats: NameView
        let base64: Base64Digits.View
    }
}
