#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// A reference value in extended precision: the nearest double, and what is missing from it.
typedef struct {
    double high;
    double low;
} flywheel_reference;

flywheel_reference flywheel_reference_exp(double x);
flywheel_reference flywheel_reference_expm1(double x);
flywheel_reference flywheel_reference_log(double x);
flywheel_reference flywheel_reference_log1p(double x);
flywheel_reference flywheel_reference_pow(double x, double y);
flywheel_reference flywheel_reference_lgamma(double x);
flywheel_reference flywheel_reference_erf(double x);
flywheel_reference flywheel_reference_erfc(double x);
flywheel_reference flywheel_reference_normal_cdf(double x);
flywheel_reference flywheel_reference_normal_quantile(double p);
flywheel_reference flywheel_reference_ibeta(double x, double a, double b);
flywheel_reference flywheel_reference_ibetac(double x, double a, double b);
flywheel_reference flywheel_reference_beta_quantile(double p, double a, double b);
flywheel_reference flywheel_reference_binomial_pdf(double k, double n, double p);

#ifdef __cplusplus
}
#endif
