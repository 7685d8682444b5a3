import Acquisition
import Tables
import Testing
import Vocabulary

@Suite("Undeclared properties of the embedding space are learnt")
struct LearnedSpaceTests {
    /// Resolves the space of samples with these embeddings, and returns the indices of those that are outside it.
    private func resolveSpace(
        _ embeddings: [[Float]?],
        in state: inout AcquisitionState,
        _ declared: EmbeddingSpace? = nil,
        space: String? = nil
    ) -> [Int] {
        embeddings.indices.filter { position in
            let sample = Sample(
                id: SampleID("s\(position)"),
                embedding: embeddings[position],
                space: space.map { SpaceID($0) }
            )
            return state.resolveSpace(sample, declared) != nil
        }
    }

    @Test(
        "The space has the commonest dimension of the first 20, on a tie the first one, and ten times the median norm"
    )
    func fixed() {
        var state = AcquisitionState()
        let tie: [[Float]] = (0..<20).map { $0 % 2 == 0 ? [3, 4] : [1e9] }
        #expect(resolveSpace(Array(tie.dropLast()), in: &state) == [])
        #expect(state.knownSpace(nil).isUnknown)
        // The last sample fixes the space and is itself outside of it.
        #expect(resolveSpace([tie[19]], in: &state) == [0])
        #expect(state.knownSpace(nil) == EmbeddingSpace(dimension: 2, norm: 50))
        #expect(state.space.value.seen.isEmpty)
        #expect(resolveSpace([[30, 40], [30, 40.1], [1], [1, 2, 3], nil, [0, 0]], in: &state) == [1, 2, 3])
    }

    @Test("Embeddings of zero, and samples without any, do not affect the norm")
    func zeros() {
        var state = AcquisitionState()
        #expect(resolveSpace([nil, nil], in: &state) == [])
        #expect(state.space.row == nil)
        #expect(resolveSpace(Array(repeating: [0, 0], count: 19) + [[0, 2]], in: &state) == [])
        #expect(state.knownSpace(nil).norm == 20)
        var zero = AcquisitionState()
        #expect(resolveSpace(Array(repeating: [0, 0], count: 20) + [[1e30, 0], [1]], in: &zero) == [21])
    }

    @Test("Declared properties are not learnt, and the space name that producers state is")
    func declared() {
        var state = AcquisitionState()
        let complete = EmbeddingSpace(dimension: 1, norm: 4)
        #expect(
            resolveSpace([[4], [4.5], [1, 1]] + Array(repeating: [1], count: 30), in: &state, complete) == [1, 2]
        )
        #expect(state.space.row == nil)
        let partial = EmbeddingSpace(norm: 4)
        #expect(
            resolveSpace(Array(repeating: [1], count: 20) + [[3.9], [1, 1]], in: &state, partial, space: "a") == [21]
        )
        #expect(state.knownSpace(partial) == EmbeddingSpace(name: SpaceID("a"), dimension: 1, norm: 4))
        #expect(resolveSpace([[1]], in: &state, partial, space: "b") == [0])
        #expect(resolveSpace([[1]], in: &state, partial) == [])
    }

    @Test("Another name or dimension resets the learnt space; another norm, or declaring the known dimension, does not")
    func revisions() {
        var state = AcquisitionState()
        #expect(resolveSpace(Array(repeating: [3, 4], count: 20), in: &state) == [])
        let same = EmbeddingSpace(dimension: 2, norm: 7)
        state.configured(same, after: nil)
        #expect(state.space.value.space != nil)
        state.configured(EmbeddingSpace?.none, after: same)
        #expect(state.knownSpace(nil) == EmbeddingSpace(dimension: 2, norm: 50))
        let other = EmbeddingSpace(dimension: 3)
        #expect(state.knownSpace(other) == other)
        state.configured(other, after: nil)
        #expect(state.space.value == LearnedSpace())
        let named = EmbeddingSpace(name: SpaceID("n"))
        state.configured(named, after: other)
        #expect(state.space.value.named == SpaceID("n") && state.knownSpace(named) == named)
    }
}
