#include "CBoostMath.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

namespace {

namespace policies = boost::math::policies;
typedef policies::policy<
    policies::overflow_error<policies::ignore_error>, policies::underflow_error<policies::ignore_error>,
    policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
    policies::evaluation_error<policies::ignore_error>, policies::denorm_error<policies::ignore_error>>
    Quiet;
const Quiet quiet{};
typedef boost::math::normal_distribution<long double, Quiet> Normal;
typedef boost::math::binomial_distribution<long double, Quiet> Binomial;

flywheel_reference split(long double value) {
    double high = static_cast<double>(value);
    double low = std::isfinite(high) ? static_cast<double>(value - high) : 0;
    return {high, low};
}

}  // namespace

extern "C" {

flywheel_reference flywheel_reference_exp(double x) { return split(std::exp((long double)x)); }
flywheel_reference flywheel_reference_expm1(double x) { return split(std::expm1((long double)x)); }
flywheel_reference flywheel_reference_log(double x) { return split(std::log((long double)x)); }
flywheel_reference flywheel_reference_log1p(double x) { return split(std::log1p((long double)x)); }
flywheel_reference flywheel_reference_pow(double x, double y) {
    return split(std::pow((long double)x, (long double)y));
}
flywheel_reference flywheel_reference_lgamma(double x) { return split(boost::math::lgamma((long double)x, quiet)); }
flywheel_reference flywheel_reference_erf(double x) { return split(boost::math::erf((long double)x, quiet)); }
flywheel_reference flywheel_reference_erfc(double x) { return split(boost::math::erfc((long double)x, quiet)); }
flywheel_reference flywheel_reference_normal_cdf(double x) {
    return split(boost::math::cdf(Normal(), (long double)x));
}
flywheel_reference flywheel_reference_normal_quantile(double p) {
    return split(boost::math::quantile(Normal(), (long double)p));
}
flywheel_reference flywheel_reference_ibeta(double x, double a, double b) {
    return split(boost::math::ibeta((long double)a, (long double)b, (long double)x, quiet));
}
flywheel_reference flywheel_reference_ibetac(double x, double a, double b) {
    return split(boost::math::ibetac((long double)a, (long double)b, (long double)x, quiet));
}
flywheel_reference flywheel_reference_beta_quantile(double p, double a, double b) {
    return split(boost::math::ibeta_inv((long double)a, (long double)b, (long double)p, quiet));
}
flywheel_reference flywheel_reference_binomial_pdf(double k, double n, double p) {
    return split(boost::math::pdf(Binomial((long double)n, (long double)p), (long double)k));
}
}
