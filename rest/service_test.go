package rest

import "kycd/kyc"

var _ Service = (*kyc.Service)(nil)
