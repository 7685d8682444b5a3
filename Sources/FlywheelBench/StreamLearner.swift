import Learner

/// Learner of a stream: it sees every sample, and learns from those whose label has arrived.
enum StreamLearner {
    /// Kind of the learner.
    enum Kind: String, CaseIterable {
        /// Logistic regression for two classes, naive Bayes for more.
        case auto
        case logistic
        case bayes
    }

    case logistic(OnlineSoftmaxRegression)
    case bayes(OnlineNaiveBayes)

    init(_ kind: Kind, featureCount: Int, classCount: Int) {
        switch kind.resolved(classCount: classCount) {
        case .bayes: self = .bayes(OnlineNaiveBayes(featureCount: featureCount, classCount: classCount))
        default: self = .logistic(OnlineSoftmaxRegression(featureCount: featureCount, classCount: classCount))
        }
    }

    mutating func observe(_ features: [Double]) {
        switch self {
        case .logistic(var model):
            model.observe(features)
            self = .logistic(model)
        case .bayes(var model):
            model.observe(features)
            self = .bayes(model)
        }
    }

    mutating func learn(_ features: [Double], label: Int) {
        switch self {
        case .logistic(var model):
            model.learn(features, label: label)
            self = .logistic(model)
        case .bayes(var model):
            model.learn(features, label: label)
            self = .bayes(model)
        }
    }

    func probabilities(of features: [Double]) -> [Double] {
        switch self {
        case .logistic(let model): model.probabilities(of: features)
        case .bayes(let model): model.probabilities(of: features)
        }
    }
}

extension StreamLearner.Kind {
    /// The learner that `auto` selects.
    func resolved(classCount: Int) -> Self { self == .auto ? (classCount == 2 ? .logistic : .bayes) : self }
}
