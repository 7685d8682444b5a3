// CBoostMath
